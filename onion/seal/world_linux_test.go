// A world of two machines: an engine's, and one that counts what reaches it.
//
//	namespace of "world"                    namespace of "sink"
//	engine --- lo 127.0.0.1
//	       \-- near 192.0.2.2/24 ==== far 192.0.2.1/24   (192.0.2.0/24: RFC 5737)

package seal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// leaving ends the names of plays in which the engine tries to reach the other machine.
const leaving = "+leave"

// far is the other machine.
const far = "192.0.2.1"

// leave sends to the other machine in every way there is.
func leave(s scene) {
	to := &unix.SockaddrInet4{Port: 9, Addr: [4]byte{192, 0, 2, 1}}
	s.target = to.Addr
	_ = unix.Sendto(s.udp, []byte("x"), 0, to)
	_ = withSource(s)
	if rebind(s.auto) == nil {
		_ = unix.Sendto(s.auto, []byte("x"), 0, to)
	}
	for _, network := range []string{"udp", "tcp", "ip4:icmp"} {
		at := far + ":9"
		if network == "ip4:icmp" {
			at = far
		}
		if c, err := net.DialTimeout(network, at, 300*time.Millisecond); err == nil {
			_, _ = c.Write([]byte("xxxxxxxx"))
			c.Close()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	server := net.JoinHostPort(far, "53")
	ask := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn,
		error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server)
	}}
	_, _ = ask.LookupHost(ctx, "name.example")
	if fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0x0300); err == nil {
		_ = unix.Sendto(fd, make([]byte, 60), 0, &unix.SockaddrLinklayer{Ifindex: 2, Halen: 6})
	}
	_ = exec.Command("ip", "neigh", "add", far, "lladdr", "02:00:00:00:00:01", "dev", "near").Run()
}

// sinkRole is the other machine: it is there until its input ends.
func sinkRole() int {
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// worldRole makes the world, plays in it, and prints how many packets reached the other machine.
func worldRole(dir string) int {
	sink := exec.Command("/proc/self/exe", "sink", "-")
	sink.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	open, err := sink.StdinPipe()
	if err == nil {
		err = sink.Start()
	}
	if err == nil {
		defer sink.Wait()
		defer open.Close()
		err = connect(sink.Process.Pid)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	counts := map[string]int{}
	for _, how := range []string{"sealed", "calls", "naive"} {
		before := arrived(sink.Process.Pid)
		play := exec.Command("/proc/self/exe", "start", how+leaving, dir)
		if out, err := play.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v: %s", how, err, out)
			return 1
		}
		counts[how] = arrived(sink.Process.Pid) - before
	}
	_ = json.NewEncoder(os.Stdout).Encode(counts)
	return 0
}

// connect lays the cable. IPv6 is off: the kernel itself would speak it.
func connect(sink int) error {
	inside := fmt.Sprintf("nsenter -t %d -n ", sink)
	quiet := "sh -c test -d /proc/sys/net/ipv6 || exit 0; " +
		"echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; " +
		"echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"
	for _, line := range []string{
		quiet, inside + quiet, "ip link set lo up",
		fmt.Sprintf("ip link add near type veth peer name far netns %d", sink),
		"ip addr add 192.0.2.2/24 dev near", inside + "ip addr add 192.0.2.1/24 dev far",
		inside + "ip link set far up", "ip link set near up", "ip route add default via " + far,
	} {
		args := strings.Fields(line)
		if before, script, found := strings.Cut(line, "sh -c "); found {
			args = append(strings.Fields(before), "sh", "-c", script)
		}
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %v: %s (apt-get install iproute2 util-linux)", line, err, out)
		}
	}
	return nil
}

// arrived reads how many packets the other machine has got.
func arrived(sink int) int {
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", sink))
	for line := range strings.Lines(string(list)) {
		if name, numbers, _ := strings.Cut(strings.TrimSpace(line), ":"); name == "far" {
			var bytes, packets int
			_, _ = fmt.Sscan(numbers, &bytes, &packets)
			return packets
		}
	}
	return -1 << 20
}
