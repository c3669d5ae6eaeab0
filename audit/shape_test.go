// This file holds how code is written here.

package audit

import (
	"testing"

	"nightjar/audit/rules/house"
	"nightjar/audit/rules/shape"
)

func TestNamesAndFilesAreDocumented(t *testing.T) {
	keeps(t, "docs", shape.Docs(rooms(t, "")))
}

func TestMissingCommentIsCaught(t *testing.T) {
	catches(t, "docs", shape.Docs(rooms(t, "docs")))
}

func TestNothingIsLeftUnfinished(t *testing.T) {
	keeps(t, "unfinished", shape.Unfinished(rooms(t, "")))
}

func TestUnfinishedWorkIsCaught(t *testing.T) {
	catches(t, "unfinished", shape.Unfinished(rooms(t, "unfinished")))
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	keeps(t, "sizes", shape.Sizes(rooms(t, "")))
}

func TestOverlongCodeIsCaught(t *testing.T) {
	catches(t, "sizes", shape.Sizes(rooms(t, "sizes")))
}

func TestPackagesExportFewNames(t *testing.T) {
	keeps(t, "exports", shape.Exported(rooms(t, "")))
}

func TestCrowdedPackageIsCaught(t *testing.T) {
	catches(t, "exports", shape.Exported(rooms(t, "exports")))
}

func TestTestNamesAreClaims(t *testing.T) {
	keeps(t, "testnames", shape.TestNames(rooms(t, "")))
}

func TestTopicForANameIsCaught(t *testing.T) {
	catches(t, "testnames", shape.TestNames(rooms(t, "testnames")))
}

func TestNothingSleepsOrSkips(t *testing.T) {
	keeps(t, "manners", shape.Manners(rooms(t, "")))
}

func TestSleepInDisguiseIsCaught(t *testing.T) {
	catches(t, "manners", shape.Manners(rooms(t, "manners")))
}

func TestNothingRunsBeforeMain(t *testing.T) {
	keeps(t, "inits", shape.Inits(rooms(t, "")))
}

func TestInitIsCaught(t *testing.T) {
	catches(t, "inits", shape.Inits(rooms(t, "inits")))
}

func TestPackagesKeepNoState(t *testing.T) {
	keeps(t, "vars", shape.Vars(rooms(t, "")))
}

func TestPackageStateIsCaught(t *testing.T) {
	catches(t, "vars", shape.Vars(rooms(t, "vars")))
}

// A finding must be one that an editor can jump to and a reader can act on.
func TestFindingSaysWhereWhatAndWhatToDo(t *testing.T) {
	for _, f := range shape.Manners(rooms(t, "manners")) {
		if f.File == "" || f.Line == 0 || f.What == "" || f.Do == "" {
			t.Errorf("finding lacks something: %+v", f)
		}
	}
	f := house.Finding{File: "a/b.go", Line: 7, What: "wrong", Do: "mend it"}
	if got := f.String(); got != "a/b.go:7: wrong: mend it" {
		t.Errorf("finding reads %q", got)
	}
}
