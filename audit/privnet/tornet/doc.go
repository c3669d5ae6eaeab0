// Package tornet runs a private Tor network on loopback: one directory authority and a few relays,
// each a real tor process, for tests and for the demonstration. It knows no public relay: every
// process is started with its own DirAuthority line and without the system's defaults file.
//
//	            DirPort, ORPort 127.0.0.1:base..base+1
//	           +--------------+
//	   vote    |  authority   |   never a guard
//	           +--------------+
//	            ^   ^   ^   ^   descriptors up, consensus and microdescriptors down
//	+-------+-------+-------+-------+-------+-------+
//	|relay 0|relay 1|  ...  |       |       |relay 5|   127.0.0.2:base+2..base+7, guards
//	+-------+-------+-------+-------+-------+-------+
//	            ^ clients: Torrc() gives the lines that they need
//	bridge 127.0.0.1:base+8, obfs4 at base+9: in no list, BridgeTorrc() gives the lines
//
// A network takes about 15 s to become usable and some 90 MB of memory; share one per test binary.
// It has no exits, so that only onion services can be reached through it, unless Options.Exit asks
// for one: it lets streams out to loopback alone.
package tornet
