// What is told while it happens, and the report of it.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// story is what happened, for the person who watches and for the report.
type story struct {
	mu      sync.Mutex
	start   time.Time
	current time.Time
	report  report
}

// report is demo-report.json.
type report struct {
	Passed  bool           `json:"passed"`
	Failure string         `json:"failure,omitempty"`
	Seconds float64        `json:"seconds"`
	Scenes  []sceneReport  `json:"scenes"`
	Saw     []sight        `json:"who_could_see_what"`
	Audio   []audioReport  `json:"audio"`
	Facts   map[string]any `json:"facts"`
}

type sceneReport struct {
	Title   string  `json:"title"`
	Seconds float64 `json:"seconds"`
	OK      bool    `json:"ok"`
}

// sight is what one party could see.
type sight struct {
	Who  string   `json:"who"`
	Saw  string   `json:"saw"`
	From []string `json:"addresses,omitempty"`
}

// audioReport is how well speech came through in one direction.
type audioReport struct {
	Direction   string  `json:"direction"`
	Correlation float64 `json:"correlation"` // median over windows with speech
	Control     float64 `json:"control"`     // with a recording that was not played
	Windows     int     `json:"windows"`
	Seconds     float64 `json:"seconds"`
}

func newStory() *story {
	return &story{start: time.Now(), report: report{Facts: map[string]any{},
		Scenes: []sceneReport{}, Saw: []sight{}, Audio: []audioReport{}}}
}

// scene plays one scene and says how long it took. A line of progress shows at least every five
// seconds, so that no wait is silent.
func (s *story) scene(ctx context.Context, title string, play func() error) error {
	fmt.Printf("\n== %s\n", title)
	s.mu.Lock()
	s.current = time.Now()
	s.mu.Unlock()
	done := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() { s.tick(ctx, done) })
	err := play()
	close(done)
	ticking.Wait()
	took := time.Since(s.current)
	s.report.Scenes = append(s.report.Scenes,
		sceneReport{Title: title, Seconds: took.Seconds(), OK: err == nil})
	if err == nil {
		fmt.Printf("   done in %.1f s\n", took.Seconds())
	}
	return err
}

func (s *story) tick(ctx context.Context, done <-chan struct{}) {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.line("...")
		case <-done:
			return
		case <-ctx.Done():
			return
		}
	}
}

// line tells something with the time since the scene began.
func (s *story) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf("   %5.1f s  %s\n", time.Since(s.current).Seconds(), fmt.Sprintf(format, args...))
}

// saw notes what a party could see.
func (s *story) saw(who, what string, from ...string) {
	s.report.Saw = append(s.report.Saw, sight{Who: who, Saw: what, From: from})
	fmt.Printf("   %-14s %s\n", who+":", what)
	for _, a := range from {
		fmt.Printf("   %-14s   %s\n", "", a)
	}
}

// write writes the report and says the outcome.
func (s *story) write(file string, failure error) error {
	s.report.Seconds = time.Since(s.start).Seconds()
	s.report.Passed = failure == nil
	if failure != nil {
		s.report.Failure = failure.Error()
	}
	b, err := json.MarshalIndent(s.report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
		return err
	}
	if failure == nil {
		fmt.Printf("\nall of it worked, in %.0f s; the report is in %s\n", s.report.Seconds, file)
	}
	return nil
}
