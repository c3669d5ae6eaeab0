//go:build e2e

// The process that guards an engine knows nothing of what it guards.

package whole

import (
	"strconv"
	"testing"

	"nightjar/cmd/control/api"
)

func TestWardenHoldsNothingOfWhatItsEngineHolds(t *testing.T) {
	desk, _ := pair(t, "guarded-desk", "guarded-source")
	texts := map[string]string{"a message": "the ledger lies under the third stone",
		"a contact's name": "guarded-source"}
	run(t, desk, "send", "guarded-source", texts["a message"])
	secrets := secretsOf(t, desk, texts)
	if found := scan(t, []string{strconv.Itoa(desk.Engine())}, secrets); len(found) < 3 {
		t.Fatalf("in the engine only %q is found: the scan is blind", found)
	}
	if found := scan(t, []string{strconv.Itoa(desk.Pid())}, secrets); len(found) > 0 {
		t.Errorf("the warden has %q", found)
	}
}

func TestEngineSaysThatItIsSealed(t *testing.T) {
	p := party(t, "sealed")
	var s api.Status
	if err := p.Run(t.Context(), &s, "status"); err != nil {
		t.Fatal(err)
	}
	if !s.Sealed || s.Seal != "an empty network, a list of system calls, its own files only" {
		t.Errorf("sealed %v: %q", s.Sealed, s.Seal)
	}
}
