// The way out by one network interface, as a VPN of the system's makes one.

package native

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

var (
	// ErrDevice means that there is no such interface, or that a socket cannot be bound to it.
	ErrDevice = errors.New("no such network interface")
	// ErrNoBinding means that this system cannot bind a socket to an interface.
	ErrNoBinding = errors.New("this system cannot bind a socket to a network interface")
)

// look is how often a Device is looked at: a socket does not say that its interface is gone until
// something is sent.
const look = 500 * time.Millisecond

// A Device is a way out by one interface: the one that had its name when the Device was opened.
// When that is gone so is the Device, for good, even if another one of the same name comes: the
// kernel refuses to send, and Done is closed.
type Device struct {
	way
	guard net.PacketConn // bound to the interface; sends nothing
	stop  chan struct{}
	once  sync.Once
	work  sync.WaitGroup
}

// OpenDevice returns the way out by an interface. Errors are ErrDevice and ErrNoBinding.
func OpenDevice(name string) (*Device, error) {
	guard, index, err := guardOf(name)
	if err != nil {
		return nil, err
	}
	d := &Device{way: way{done: make(chan struct{})}, guard: guard, stop: make(chan struct{})}
	d.set = func(network, address string, c syscall.RawConn) error {
		if err := noBroadcast(network, address, c); err != nil {
			return err
		}
		return bindTo(index, c)
	}
	d.work.Go(d.watch)
	return d, nil
}

// watch ends the way when the interface is gone.
func (d *Device) watch() {
	defer d.guard.Close()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-d.stop:
			return
		case <-tick.C:
			if !there(d.guard) {
				d.end()
				return
			}
		}
	}
}

// Close ends the way and its sockets, and returns when nothing of it works any more.
func (d *Device) Close() error {
	d.once.Do(func() { close(d.stop) })
	d.work.Wait()
	d.end()
	return nil
}
