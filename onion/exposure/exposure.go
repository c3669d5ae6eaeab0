// Package exposure says what each way out shows to whom, in words for people. It is the one place
// that does: status, documents and screens take their words from here.
//
// Four parties are always named: the contact, the own network, the Internet provider, the DHT.
// Those who carry the traffic (a guard, a VPN's operator) come beside them.
package exposure

// An Exposure says what one party learns when a way out is used.
type Exposure struct {
	Who    string `json:"who"` // one of the parties, or somebody of this way alone
	Learns string `json:"learns"`
	Hidden string `json:"hidden"` // what it might want to know, and does not learn
}

// The parties that every way out is asked about.
const (
	Contact  = "the contact"
	Network  = "your network" // whoever runs it, and who shares it
	Provider = "your Internet provider"
	DHT      = "the DHT"
)

// A Way is a kind of way out.
type Way int

// The kinds of ways out, from the most hidden to the one that hides nothing.
const (
	TorOverVPN Way = iota + 1
	Tor
	VPN
	SOCKS
	Device
	Direct
)

// All returns the kinds of ways out, the most hidden first.
func All() []Way { return []Way{TorOverVPN, Tor, VPN, SOCKS, Device, Direct} }

// String returns the word by which a user chooses the way.
func (w Way) String() string {
	switch w {
	case TorOverVPN:
		return "tor-over-vpn"
	case Tor:
		return "tor"
	case VPN:
		return "vpn"
	case SOCKS:
		return "socks"
	case Device:
		return "device"
	case Direct:
		return "direct-reveals-my-address"
	}
	return ""
}

// Words that stand in several rows.
const (
	words   = "whom you reach or what you say"
	address = "your address"
	amounts = "when and how much is sent"
)

// Of returns what a way out shows to whom. It is nil for what is no way out.
func Of(w Way) []Exposure {
	switch w {
	case TorOverVPN:
		return torOverVPN()
	case Tor:
		return tor()
	case VPN:
		return vpn()
	case SOCKS:
		return socks()
	case Device:
		return device()
	case Direct:
		return direct()
	}
	return nil
}

// rendezvous are those who see the same whatever tor goes through.
func rendezvous() []Exposure {
	return []Exposure{
		{Contact, "when you are reachable, and what you tell it", "where you are"},
		{"directories of the Tor network", "that some onion service is published or looked for",
			"whose it is, or its address unless they know it already"},
		{"gateways", "the DHT datagrams that you give them", "who or where you are"},
		{DHT, "a gateway's address, what is looked for, and when",
			"that it is you, or that Tor is used"},
	}
}

func tor() []Exposure {
	learns := "that you use Tor, through which guard or bridge, and " + amounts
	return append([]Exposure{
		{Network, learns, words},
		{Provider, learns, words},
		{"the guard or bridge", "your address, and " + amounts, words},
	}, rendezvous()...)
}

func torOverVPN() []Exposure {
	learns := "that you use this VPN, and " + amounts
	return append([]Exposure{
		{Network, learns, "that you use Tor, " + words},
		{Provider, learns, "that you use Tor, " + words},
		{"the VPN's operator", "your address, that you use Tor, through which guard or bridge, " +
			"and " + amounts, words},
		{"the guard or bridge", "the VPN's address, and " + amounts, "your address, " + words},
	}, rendezvous()...)
}

func vpn() []Exposure {
	learns := "that you use this VPN, and " + amounts
	return []Exposure{
		{Network, learns, words},
		{Provider, learns, words},
		{"the VPN's operator", "your address, the addresses you reach, among them your contacts' " +
			"and the DHT's, and " + amounts, "what you say or to which name"},
		{Contact, "the VPN's address, when you are reachable, and what you tell it", address},
		{DHT, "the VPN's address, which look-ups come from it, and when", address +
			" or whom the look-ups are for"},
	}
}

func socks() []Exposure {
	learns := "that you use this proxy, the addresses you reach by it, and " + amounts +
		": the way to it is not encrypted"
	return []Exposure{
		{Network, learns, "what you say or to which name"},
		{Provider, learns, "what you say or to which name"},
		{"the proxy's operator", "your address, the addresses you reach, among them your " +
			"contacts' and the DHT's, and " + amounts, "what you say or to which name"},
		{Contact, "the proxy's address, when you are reachable, and what you tell it", address},
		{DHT, "the proxy's address, which look-ups come from it, and when", address +
			" or whom the look-ups are for"},
	}
}

func device() []Exposure {
	learns := "what the interface lets it see: with a VPN, that you use it, and " + amounts
	return []Exposure{
		{Network, learns, "what you say: the rest is for the interface to hide"},
		{Provider, learns, "what you say: the rest is for the interface to hide"},
		{"whoever runs the interface's other end", "your address, the addresses you reach, among " +
			"them your contacts' and the DHT's, and " + amounts, "what you say or to which name"},
		{Contact, "the address at the interface's other end, when you are reachable, and what " +
			"you tell it", "your address, if that is another one"},
		{DHT, "the address at the interface's other end, which look-ups come from it, and when",
			"your address, if that is another one, or whom the look-ups are for"},
	}
}

func direct() []Exposure {
	learns := "the addresses you reach, among them your contacts' and the DHT's, and " + amounts
	return []Exposure{
		{Network, learns, "what you say or to which name"},
		{Provider, learns, "what you say or to which name"},
		{Contact, "your address, and so about where you are, when you are reachable, and what " +
			"you tell it", "whom else you reach"},
		{DHT, "your address, which look-ups come from it, and when", "whom the look-ups are for"},
	}
}
