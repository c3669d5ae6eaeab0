// Package seal takes the network, most files and most of the kernel away from the process that
// holds an identity, so that it cannot show where it is even if its code wanted to.
//
// Four layers, each by itself; State says which of them hold. What the sealed process still has are
// the open files it was given.
//
//	namespaces  the process starts in a network namespace of its own, which is empty and down
//	privileges  no_new_privs; no capabilities; nothing it runs can have more
//	files       Landlock: opens only what is named, connects and binds no TCP, signals nobody
//	calls       seccomp: a list of the system calls that it needs. Of sockets it can make unix
//	            stream sockets to listen at, and connect none; no exec, no fork, no ptrace, no
//	            io_uring, no memory that is both made here and run, no other ABI of the processor
//
// A sealed process comes about in three steps, because some layers can only be had at birth, and
// others only when nothing is started any more:
//
//	Start   in the process that starts it: namespaces, where the kernel allows them
//	Enter   in the new process: privileges and files; the program starts again in what is left
//	Apply   in the same process: calls; then everything is tried, and State is what was found
//
// The package knows no identity, no path and no protocol. A socket that is bound to loopback and
// handed in is no way out if it was bound with its port named: package comment of sip/sockets.
package seal
