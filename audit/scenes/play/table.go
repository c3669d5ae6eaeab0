// The scenes, in the order in which they are played.

package play

import "slices"

// Scenes is every scene. Each can be played alone: what it needs, it sets up.
func Scenes() []Scene {
	return slices.Concat(people(), phones(), torless(), faults(), around(), kernels(), ways())
}

// people are the scenes of what people do.
func people() []Scene {
	return []Scene{
		{Name: "init", Says: "a vault and an identity are made", Play: initOnly},
		{Name: "first-start", Says: "an engine starts for the first time", Play: firstStart},
		{Name: "invitation", Says: "somebody is invited by a card", Play: invitation},
		{Name: "accept", Says: "the invitation is found, and accepted", Play: accept},
		{Name: "message", Says: "messages go both ways", Play: message},
		{Name: "message-away", Says: "a message waits for one who is away", Play: messageAway},
		{Name: "message-link", Says: "a message has a link in it", Play: messageLink},
		{Name: "hostile-card", Says: "cards are damaged, and name hosts", Play: hostileCard},
		{Name: "relay-by-name", Says: "a relay has a name", Play: relayByName},
		{Name: "refuse", Says: "somebody asks, and is refused", Play: refuse},
		{Name: "remove", Says: "a contact is removed", Play: remove},
		{Name: "bundle", Says: "what opens the network is handed on", Play: handOn},
		{Name: "identities", Says: "two identities of one vault are open", Play: identities},
		{Name: "beside-gateway", Says: "a hidden identity is open beside a gateway",
			Play: besideGateway},
		{Name: "codename", Says: "an identity comes from a codename", Play: codename},
		{Name: "amnesic", Says: "an identity leaves nothing behind", Play: amnesic},
		{Name: "export-import", Says: "an identity moves by a file", Play: exportImport},
		{Name: "lock", Says: "an identity is locked", Play: lock},
		{Name: "idle-lock", Says: "an identity that nobody uses locks itself", Play: idleLock},
		{Name: "burn", Says: "an identity is burned", Play: burn},
	}
}

// phones are the scenes with SIP.
func phones() []Scene {
	return []Scene{
		{Name: "sdp-names", Says: "a phone names hosts in SIP and SDP", Play: sdpNames},
		{Name: "call", Says: "two phones talk", Play: call},
		{Name: "phone-stun", Says: "a phone has a STUN server set", Foreign: []string{"phone"},
			Play: phoneSTUN},
		{Name: "phone-names", Says: "a phone looks for its server by name",
			Foreign: []string{"phone"}, Play: phoneNames},
	}
}

// torless are the scenes of what befalls tor, for which it has to be the engine's own.
func torless() []Scene {
	out := []Scene{
		{Name: "call-tor-killed", Says: "tor is killed in a call", Play: callTorKilled},
		{Name: "tor-killed-early", Says: "tor is killed before it is ready", Play: torKilledEarly},
		{Name: "tor-killed-publishing", Says: "tor is killed while it publishes",
			Play: torKilledPublishing},
		{Name: "tor-killed-connected", Says: "tor is killed under a tunnel",
			Play: torKilledConnected},
		{Name: "tor-stopped", Says: "tor is stopped, and goes on", Play: torStopped},
		{Name: "no-network", Says: "no relay answers", Play: noNetwork},
		{Name: "bridge-only", Says: "a bridge is the only way in", Play: bridgeOnly},
		{Name: "bridge-blocked", Says: "the bridge does not answer", Play: bridgeBlocked},
		{Name: "clock-jump", Says: "tor's clock is far off", Hasty: []string{"relay"},
			Play: clockJump},
	}
	for i := range out {
		out[i].OwnTor = true
	}
	return out
}

// faults are the scenes of what else befalls people.
func faults() []Scene {
	return []Scene{
		{Name: "ipv6", Says: "the machine has IPv6", Play: ipv6},
		{Name: "resolver", Says: "the machine has a resolver", Play: resolver},
		{Name: "engine-crash", Says: "the engine is killed", Play: engineCrash},
		{Name: "warden-crash", Says: "the process outside the seal is killed", Play: wardenCrash},
		{Name: "gateway-gone", Says: "the gateway is killed", Play: gatewayGone},
	}
}
