// The settings of the network's processes. Each line that departs from tor's own test settings
// says why; without them circuits stick at 95 % for good, or every client waits 10 s.

package tornet

import (
	"fmt"
	"os"
	"strings"
)

// common is what every process of the network, and every client, is told.
func (n *Network) common() []string {
	return []string{
		"TestingTorNetwork 1",
		n.authority,
		"ShutdownWaitLength 0",
		"GeoIPFile /dev/null", // no country tables are needed, nor looked for
		"GeoIPv6File /dev/null",
	}
}

// relayTorrc is one relay's file. The authority is a relay too.
func (n *Network) relayTorrc(name, dir, ip string, port int) string {
	lines := append(n.common(),
		"DataDirectory "+dir,
		"Log notice file "+dir+"/log",
		"SafeLogging 0",
		fmt.Sprintf("__OwningControllerProcess %d", os.Getpid()),
		"Nickname "+name,
		"ContactInfo none",
		"Address "+ip,
		"ORPort "+at(ip, port),
		"AssumeReachable 1",
		"SocksPort 0",
		"ExitRelay 0",
		"ExitPolicy reject *:*",
		"DirCache 1",
		"NumCPUs 1",
		"MaxMemInQueues 256 MB",
		// A relay asks for the microdescriptors that it lacks at once, not in batches of 5 s.
		"TestingClientMaxIntervalWithoutRequest 1 second",
	)
	return strings.Join(lines, "\n") + "\n"
}

// authorityTorrc adds what makes a relay the one authority.
func (n *Network) authorityTorrc(dir string) string {
	lines := []string{
		"DirPort " + at(authorityIP, n.base+1),
		"AuthoritativeDirectory 1",
		"V3AuthoritativeDirectory 1",
		fmt.Sprintf("TestingV3AuthInitialVotingInterval %d", int(n.pace.period.Seconds())),
		"TestingV3AuthInitialVoteDelay 2",
		"TestingV3AuthInitialDistDelay 2",
		// Later votes are rare: each one costs every process memory for consensus diffs.
		"V3AuthVotingInterval 300",
		"V3AuthVoteDelay 2",
		"V3AuthDistDelay 2",
		"TestingAuthDirTimeToLearnReachability 0",
		"TestingDirAuthVoteHSDir *",
		// The authority is almost always the last hop, because it alone advertises bandwidth; were
		// it a guard as well, clients would build paths A-B-A, which B refuses.
		"TestingDirAuthVoteGuard " + relayIP,
		"TestingDirAuthVoteGuardIsStrict 1",
		"AuthDirMaxServersPerAddr 0",
		// All relays are stable and fast, not just the half above the median.
		"AuthDirVoteStableGuaranteeMinUptime 0",
		"AuthDirVoteStableGuaranteeMTBF 0",
		"AuthDirFastGuarantee 0",
		"ConsensusParams cc_alg=2 KISTSchedRunInterval=2", // as in the public consensus
	}
	return n.relayTorrc(authorityName, dir, authorityIP, n.base) + strings.Join(lines, "\n") + "\n"
}
