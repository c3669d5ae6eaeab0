// The scene of the call: two phones that know nothing of each other, and what each heard.

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"nightjar/audit/privnet/phone"
	"nightjar/audit/privnet/phone/sound"
	"nightjar/audit/privnet/stage"
	"nightjar/cmd/control/api"
)

const (
	callLasts = 12 * time.Second
	good      = 0.9 // correlation of what was heard with what was said, at the least
	bad       = 0.5 // with what was not said, at the most
	enough    = 10  // windows with speech in them
)

// talk lets the source ring the newsdesk's phone: linphonec on one side, baresip on the other.
func (p *production) talk() error {
	ctx, cancel := context.WithTimeout(p.ctx, 90*time.Second)
	defer cancel()
	deskSays, sourceSays, err := phone.Recordings()
	if err != nil {
		return err
	}
	desk, err := p.plugIn(ctx, p.desk, phone.Baresip, phone.Config{Server: deskPhone,
		Transport: "tcp", Speech: deskSays})
	if err != nil {
		return err
	}
	defer desk.Stop()
	source, err := p.plugIn(ctx, p.source, phone.Linphone, phone.Config{Server: sourcePhone,
		Speech: sourceSays})
	if err != nil {
		return err
	}
	defer source.Stop()
	if err := p.call(ctx, source, desk); err != nil {
		return err
	}
	if err := p.compare("source to newsdesk", sourceSays, deskSays, desk); err != nil {
		return err
	}
	return p.compare("newsdesk to source", deskSays, sourceSays, source)
}

// plugIn starts a phone with what "phone show" says, and waits until it is registered.
func (p *production) plugIn(ctx context.Context, a *stage.Party,
	kind func(context.Context, phone.Config) (phone.Phone, error), c phone.Config) (
	phone.Phone, error) {
	var show api.Phone
	if err := a.Run(ctx, &show, "phone", "show"); err != nil {
		return nil, err
	}
	for _, s := range show.Settings {
		switch s.Label {
		case "User name":
			c.User = s.Value
		case "Password":
			c.Password = s.Value
		}
	}
	c.Dir = filepath.Join(p.dir, "phone-"+a.Name)
	ph, err := kind(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := ph.Registered(ctx); err != nil {
		ph.Stop()
		return nil, fmt.Errorf("the %s's phone does not register: %w: %s", a.Name, err, ph.Log(3))
	}
	p.story.line("the %s's phone is registered", a.Name)
	return ph, nil
}

// call rings, talks and hangs up.
func (p *production) call(ctx context.Context, source, desk phone.Phone) error {
	start := time.Now()
	g, waiting := errgroup.WithContext(ctx)
	g.Go(func() error { return source.Call(waiting, "newsdesk") })
	g.Go(func() error { return desk.Talking(waiting) })
	if err := g.Wait(); err != nil {
		return fmt.Errorf("the call was not answered: %w: %s", err, source.Log(5))
	}
	p.story.line("answered after %.1f s; both speak for %.0f s", time.Since(start).Seconds(),
		callLasts.Seconds())
	p.story.report.Facts["call_setup_seconds"] = time.Since(start).Seconds()
	select {
	case <-time.After(callLasts):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := source.HangUp(ctx); err != nil {
		return err
	}
	return desk.Ended(ctx)
}

// compare holds what a phone heard against the recording that was played to it, and against the
// one that was not: a comparison that fits everything would prove nothing.
func (p *production) compare(direction, played, other string, ear phone.Phone) error {
	file, err := ear.Heard()
	if err != nil {
		return fmt.Errorf("%s: %w", direction, err)
	}
	var clips [3]sound.Clip
	for i, f := range []string{file, played, other} {
		if clips[i], err = sound.Read(f); err != nil {
			return fmt.Errorf("%s: %w", direction, err)
		}
	}
	m, control := sound.Compare(clips[1], clips[0]), sound.Compare(clips[2], clips[0])
	p.story.report.Audio = append(p.story.report.Audio, audioReport{Direction: direction,
		Correlation: m.Median, Control: control.Median, Windows: m.Windows, Seconds: m.Heard})
	p.story.line("%s: %.0f s heard; correlation with what was said %.3f, with something else %.3f",
		direction, m.Heard, m.Median, control.Median)
	if m.Windows < enough || m.Median < good || control.Median > bad {
		return fmt.Errorf("%s: what was heard is not what was said", direction)
	}
	return nil
}
