// Scenes of the other ways out: a part of its own opens one, as an engine would, and loses it.

package play

import "context"

// What the other ways lead to: a VPN's endpoint, a proxy, and who is written to by an interface.
const (
	Endpoint  = "192.0.2.200:51820"
	Proxy     = "127.0.0.66:1080"
	Far       = "198.51.100.60:4000"
	Interface = "vpn0"
)

// WayScenes are the names of the parts: what the process does that opens a way.
const (
	VPNDead    = "vpn-dead"
	VPNRoams   = "vpn-roams"
	ProxyLost  = "proxy-lost"
	DeviceGone = "device-gone"
)

// ways are the scenes of ways other than tor.
func ways() []Scene {
	scene := func(name, says, did string) Scene {
		return Scene{Name: name, Says: says, Play: func(_ context.Context, c *Cast) error {
			c.Did("%s", did)
			return c.Part("way", name)
		}}
	}
	return []Scene{
		scene(VPNDead, "the VPN's endpoint does not answer",
			"a VPN is opened in vain, and nothing goes around it"),
		scene(VPNRoams, "the machine's address changes under a VPN",
			"the address changes while the VPN looks for its endpoint"),
		scene(ProxyLost, "the control connection of a SOCKS5 proxy is lost",
			"UDP by a proxy that goes away; nothing goes without it"),
		scene(DeviceGone, "the interface of a way goes away",
			"UDP by one interface, which is removed; nothing goes by another"),
	}
}
