// Tests are named for what they claim.

package node

import "testing"

func Test(t *testing.T) {} // want "Test is a topic"

func TestNode(t *testing.T) {} // want "TestNode is a topic"

func TestNoise1(t *testing.T) {} // want "TestNoise1 is a topic"

func TestStrangerHearsNothing(t *testing.T) {}

func TestMain(m *testing.M) {}
