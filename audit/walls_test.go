// This file holds the walls between the rooms, the homes of the libraries, and who may open
// a socket.

package audit

import (
	"testing"

	"nightjar/audit/rules/walls"
)

// mayImport says what each room may know of the others. Its own subrooms it always knows.
var mayImport = map[string]walls.Wall{
	"cmd": {May: []string{"*"},
		Why: "commands wire the house together; nothing of audit belongs into the binary"},
	"cmd/warden": {May: []string{"onion/bridge", "onion/exposure", "onion/native", "onion/outlet",
		"onion/quiet", "onion/seal", "onion/torproc", "sip/sockets"},
		Why: "the process without secrets cannot even name what holds them"},
	"sip": {May: []string{"node", "node/talk"},
		Why: "the phone's door speaks to an identity at work and to nothing behind it"},
	"sip/media": {May: []string{"node/talk", "sip/sockets"},
		Why: "it turns RTP on sockets it is given into frames and back"},
	"sip/sockets": {Why: "it opens loopback sockets and knows nothing of what they carry"},
	"node": {May: []string{"tunnel", "onion", "onion/frame", "onion/inet", "keystore"},
		Why: "an identity at work uses the three leaves, and a gateway's rule of where to send; " +
			"sip and cmd stand above it"},
	"node/card": {Why: "what people hand to each other is pure: no clock, no net, no keys held"},
	"node/road": {May: []string{"node/card", "node/meet/walk", "onion", "onion/frame", "onion/inet",
		"tunnel", "tunnel/datagram"},
		Why: "tunnels come and go there; it does not know contacts, nor what is said"},
	"node/talk": {Why: "the records of a conversation are pure, and sip reads them as well"},
	"node/meet": {May: []string{"node/card"},
		Why: "meeting is given a way to the DHT; it holds no keys and opens no path"},
	"tunnel": {May: []string{"tunnel"},
		Why: "a leaf: it seals any carrier with any key it is handed; its rooms know its face"},
	"onion": {Why: "a leaf: it carries bytes and must not know whose or what"},
	"onion/ways": {May: []string{"onion", "onion/bridge", "onion/exposure", "onion/native",
		"onion/outlet", "onion/socks5", "onion/wg", "onion/wgconf"},
		Why: "it opens the one way that was chosen; what a way does it leaves to them"},
	"keystore": {Why: "a leaf: secrets act through handles and know no other room"},
}

// homes says where a library is at home; elsewhere one asks that room.
var homes = []walls.Home{
	{Library: "github.com/cretz/bine", Rooms: []string{"onion"},
		Why: "only onion starts and steers tor"},
	{Library: "golang.org/x/net/proxy", Rooms: []string{"onion"}, Why: "it dials"},
	{Library: "golang.zx2c4.com/wireguard", Rooms: []string{"onion/wg"}, Tests: true,
		Why: "it dials, unless it is given its socket; measurements compare with it"},
	{Library: "gvisor.dev/gvisor", Rooms: []string{"onion/wg"},
		Why: "its sockets are not the system's, and only wg knows their traps"},
	{Library: "github.com/anacrolix", Rooms: []string{"node/meet"},
		Why: "it must stay behind the packet guard of meet"},
	{Library: "github.com/flynn/noise", Rooms: []string{"tunnel"},
		Why: "one room does the handshake"},
	{Library: "github.com/quic-go", Rooms: []string{"tunnel/bulk"},
		Why: "it is for streams inside packets that are sealed already; it dials, too"},
	{Library: "github.com/hashicorp/yamux", Rooms: []string{"tunnel"},
		Why: "streams are made over sealed records only"},
	{Library: "github.com/awnumar", Rooms: []string{"keystore"},
		Why: "its memory kills the process when misused"},
	{Library: "github.com/emiago/sipgo", Rooms: []string{"sip"}, Why: "SIP ends there"},
	{Library: "github.com/icholy/digest", Rooms: []string{"sip"}, Why: "SIP ends there"},
	{Library: "github.com/pion", Rooms: []string{"sip"}, Why: "SDP and RTP end there"},
	{Library: "rsc.io/qr", Rooms: []string{"cmd"}, Why: "only commands draw"},
	{Library: "golang.org/x/term", Rooms: []string{"cmd", "keystore"},
		Why: "only commands draw, and only keystore reads passwords"},
	{Library: "golang.org/x/tools", Rooms: []string{"audit"}, Why: "it is for the rules"},
	{Library: "github.com/rogpeppe/go-internal", Rooms: []string{"cmd", "audit"},
		Why: "it is for tests of commands"},
	{Library: "net/http", Rooms: []string{"cmd", "node/meet"},
		Why: "it is the form of the control socket and of relays, and a dialer everywhere else"},
	{Library: "github.com/elastic/go-seccomp-bpf", Rooms: []string{"onion/seal"}, Tests: true,
		Why: "its tables of system calls are used, its programs are not"},
	{Library: "os/exec", Rooms: []string{"onion", "cmd/warden"}, Tests: true,
		Why: "only tor and our own engine are started"},
	{Library: "unsafe", Rooms: []string{"onion/seal"}, Tests: true,
		Why: "only what the kernel is told by address is worth it"},
	{Library: "C", Why: "the program is built without it"},
	{Library: "plugin", Why: "code comes with the program or not at all"},
}

// mayReach says who may open what. There is no grant for the system's resolver: a name
// asked there is told to the network.
var mayReach = []walls.Grant{
	{Room: "onion", Pkg: "net", Names: []string{"Dial*", "Listen*", "ResolveUnixAddr"},
		Why: "the one room with ways out"},
	{Room: "onion/native", Pkg: "net", Names: []string{"InterfaceAddrs"},
		Why: "it notices that this machine has another network"},
	{Room: "onion/torproc", Pkg: "net", Names: []string{"FileConn"},
		Why: "one end of a socket pair of our own"},
	{Room: "onion/torproc", Pkg: "syscall", Names: []string{"Socketpair"},
		Why: "tor is handed its control connection, so that nobody else can have one"},
	{Room: "sip/stack", Pkg: "net", Names: []string{"Dialer", "Resolver"},
		Why: "it gives its library dialers that refuse; using one is not granted"},
	{Room: "onion", Pkg: "golang.org/x/net/proxy", Names: []string{"*"},
		Why: "tor is spoken to as SOCKS5 over a unix socket"},
	{Room: "onion", Pkg: "os/exec", Names: []string{"*"}, Why: "it starts tor"},
	{Room: "cmd/nightjar", File: "audit.go", Pkg: "syscall", Names: []string{"Exec"},
		Why: "it becomes the audit, which is a program of its own"},
	{Room: "cmd/warden", Pkg: "os/exec", Names: []string{"*"}, Why: "it starts the engine"},
	{Room: "cmd/warden", Pkg: "golang.org/x/sys/unix", Names: []string{"Socketpair"},
		Why: "the line between a warden and its engine"},
	{Room: "cmd/warden", Pkg: "net", Names: []string{"FileConn", "FilePacketConn", "FileListener"},
		Why: "an engine is handed the sockets that it cannot open"},
	{Room: "cmd/warden", Pkg: "net", Only: walls.OnUnix, Names: []string{"Dialer*"},
		Why: "it connects to other engines, which listen on unix sockets"},
	{Room: "onion/seal", Pkg: "golang.org/x/sys/unix", Names: []string{"Socket", "Syscall*"},
		Why: "it asks the kernel for layers that have no other name, and tries whether they hold"},
	{Room: "onion/seal", Pkg: "syscall", Names: []string{"Exec"},
		Why: "the program starts again in what is left of its rights"},
	{Room: "sip/sockets", Pkg: "net", Names: []string{"Listen*", "Dialer*", "Interface*"},
		Only: walls.ChecksLoopback,
		Why:  "the phone's door is on loopback, and the file asks IsLoopback"},
	{Room: "cmd/control", Pkg: "net", Only: walls.OnUnix,
		Names: []string{"Dial", "Dialer*", "Listen", "ListenConfig*"},
		Why:   "commands reach the engine over a unix socket"},
	{Room: "cmd/control", Pkg: "net", Names: []string{"DialUnix", "ListenUnix", "ResolveUnixAddr"},
		Why: "commands reach the engine over a unix socket"},
	{Room: "cmd/control", Pkg: "net/http", Names: []string{"Client*", "Transport*"},
		Why: "over that socket they speak HTTP; its dialer is held to unix as well"},
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	keeps(t, "imports", walls.Imports(rooms(t, ""), mayImport))
}

func TestImportOverAWallIsCaught(t *testing.T) {
	catches(t, "imports", walls.Imports(rooms(t, "imports"), mayImport))
}

func TestLibrariesStayAtHome(t *testing.T) {
	keeps(t, "homes", walls.Homes(rooms(t, ""), homes))
}

func TestLibraryAwayFromHomeIsCaught(t *testing.T) {
	catches(t, "homes", walls.Homes(rooms(t, "homes"), homes))
}

func TestImportsHideNothing(t *testing.T) {
	keeps(t, "names", walls.Names(rooms(t, "")))
}

func TestHiddenImportIsCaught(t *testing.T) {
	catches(t, "names", walls.Names(rooms(t, "names")))
}

func TestOnlyPathsReachOutside(t *testing.T) {
	keeps(t, "sockets", walls.Sockets(rooms(t, ""), mayReach))
}

func TestSocketInDisguiseIsCaught(t *testing.T) {
	catches(t, "sockets", walls.Sockets(rooms(t, "sockets"), mayReach))
}
