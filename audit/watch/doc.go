// Package watch records every packet that processes of one network namespace send, says which
// process sent each, and judges it. It knows nothing of scenes, tor or the DHT: who a process is
// and what it may send is said by the caller.
//
// A packet belongs to the process that holds the socket it came from. The kernel is asked as soon
// as a flow begins (/proc/net names the socket, /proc/PID/fd its holder), and again now and then.
// A socket that was gone before it could be looked up has no owner, and nobody's packets may not
// leave.
//
//	         every interface              /proc/net/{tcp,udp,...}    /proc/PID/fd
//	packet ------ Recorder ------> Flow ------ sockets -------------- holders ------> Owner
//	                                 |
//	                               Judge -----> fine | kernel | stray | name
//
// What is not proven is not trusted: Recorder.Prove sends what must be seen, Lost says whether the
// kernel dropped packets before they were read.
package watch
