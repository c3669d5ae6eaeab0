// Package warden is the process without secrets that stands between an engine and this machine, and
// the engine's end of the line to it. The warden opens loopback sockets and runs tor; the engine
// asks for both, and has no network of its own (package onion/seal). No password, key, contact or
// message passes here: what the engine says to tor, to a phone or to another engine goes over
// descriptors that the warden hands out and then closes on its own side.
//
// The line is a pair of unix sockets (SOCK_SEQPACKET). A packet is one JSON object and at most one
// descriptor; asks are at most 160 KiB, answers 4 KiB.
//
//	engine: {"id":1,"do":"packet","at":"127.0.0.1:5060"}  a UDP socket on loopback
//	        {"id":2,"do":"stream","at":"127.0.0.1:5060"}  a TCP listener on loopback
//	        {"id":2,"do":"answer","at":"127.0.0.1:5060","to":"127.0.0.1:40312"}
//	                                                      a UDP socket that leads to that phone
//	        {"id":2,"do":"drop","at":"127.0.0.1:5060"}    the first of these is closed
//	        {"id":2,"do":"socket","net":"udp","at":"192.0.2.1:51820"}
//	                                                      of the way out: only where it leads
//	        {"id":2,"do":"datagrams"}                     of an interface, or of direct
//	        {"id":2,"do":"outlet"}                        where tor leaves by the VPN
//	        {"id":3,"do":"tor","state":"..","options":[]} start a tor
//	        {"id":4,"do":"socks","tor":1}                 a connection to its SOCKS socket
//	        {"id":4,"do":"exit","tor":1}                  the same, to leave tor: if allowed
//	        {"id":5,"do":"kill","tor":1}                  end it now
//	        {"id":6,"do":"wipe","tor":1}                  remove what it left
//	        {"id":7,"do":"seat","at":"control-2"}         to ask another engine who it is
//	        {"id":8,"do":"open","at":"lend"}              a socket that the user allowed
//	warden: {"id":1}                                      done, with the descriptor
//	        {"id":3,"tor":1,"dir":"..","pid":7}           with the control connection
//	        {"id":1,"errno":98}                           no, and why
//	        {"id":3,"why":"missing"}                      no, in a word
//	        {"tor":1,"ended":true,"refused":false}        tor is gone
//	        {"id":2,"user":"..","key":".."}               an outlet, and its login
//	        {"lost":true}                                 the way out has ended
//	        {"moved":true}                                this machine has another network
//	        {"stop":true}                                 the user wants the engine to end
//
// When the engine ends, the warden ends its tors, wipes their directories and ends with the same
// exit code. When the warden ends, the engine closes what is open and ends, and is killed if that
// takes too long; tor loses its owner and ends. Nothing starts again by itself but tor, which the
// engine asks for anew.
package warden
