// Package call is one call at work: the state between offer and end, and the audio lane.
//
// A Session turns what the local phone does into talk records for the contact's engine, and the
// other way round. Records go through whatever the owner hands it; audio goes through a Lane, a
// second tunnel on a circuit of its own, so that files and messages cannot delay it. It does not
// know contacts, paths or SIP.
//
//	 Offer
//	   |                        caller          callee
//	offered   --- End -->  ended
//	   | Answer                 Handle(answer)  Answer()
//	answered  --- End -->  ended
//
// On the lane one datagram leaves every Tick from the moment the lane stands until the call
// ends, whatever is said, pressed, held or muted: the tunnel pads the silence.
package call
