// Scenes of the other ways out: a part of its own opens one, as an engine would, and loses it.

package play

// ways are the scenes of ways other than tor.
func ways() []Scene { return nil }
