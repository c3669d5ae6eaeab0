# A DHT of libtorrent nodes on loopback, for the interoperability tests.
# usage: lt_nodes.py NODES
# Prints one address per line and "ready"; then obeys lines on stdin and answers each with a line:
#   get KEY              -> "seq VALUE" (hex), or "none"
#   put SEED VALUE       -> the number of nodes that took it (hex in)
# It ends when stdin ends.
import hashlib, subprocess, sys, time, warnings

warnings.simplefilter("ignore")
import libtorrent as lt

N = int(sys.argv[1])
SETTINGS = {
    'enable_dht': True, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'dht_bootstrap_nodes': '', 'dht_restrict_routing_ips': False, 'dht_restrict_search_ips': False,
    'dht_enforce_node_id': False, 'dht_prefer_verified_node_ids': False,
    'dht_ignore_dark_internet': False, 'dht_block_timeout': 5, 'dht_block_ratelimit': 1000,
    'dht_upload_rate_limit': 1000000, 'alert_mask': 0x7fffffff,
}
sessions = []
for i in range(N):
    s = dict(SETTINGS, listen_interfaces='127.%d.1.1:0' % (210 + i))
    sessions.append(lt.session(s))


def alert(s, kind, wanted):
    end = time.time() + 20
    while time.time() < end:
        for a in s.pop_alerts():
            if type(a).__name__ == kind and wanted(a):
                return a
        s.wait_for_alert(50)


ports = []
for s in sessions:
    end = time.time() + 20
    while not (s.is_dht_running() and s.listen_port()) and time.time() < end:
        s.wait_for_alert(50)
        s.pop_alerts()
    ports.append(s.listen_port())
for s in sessions:
    for i, port in enumerate(ports):
        s.add_dht_node(('127.%d.1.1' % (210 + i), port))
end = time.time() + 30
while min(s.status().dht_nodes for s in sessions) < N // 2 and time.time() < end:
    for s in sessions:
        s.post_dht_stats()
        s.wait_for_alert(100)
        s.pop_alerts()
for i, port in enumerate(ports):
    print('127.%d.1.1:%d' % (210 + i, port))
print('ready', min(s.status().dht_nodes for s in sessions), flush=True)


def public(seed):
    der = bytes.fromhex('302e020100300506032b657004220420') + seed
    out = subprocess.run(['openssl', 'pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'],
                         input=der, stdout=subprocess.PIPE, check=True).stdout
    return out[-32:]


def expanded(seed):
    h = bytearray(hashlib.sha512(seed).digest())
    h[0] &= 248
    h[31] &= 63
    h[31] |= 64
    return bytes(h)


for line in sys.stdin:
    word = line.split()
    s = sessions[0]
    s.pop_alerts()
    if word[0] == 'get':
        key = bytes.fromhex(word[1])
        s.dht_get_mutable_item(key, b'')
        a = alert(s, 'dht_mutable_item_alert', lambda a: bytes(a.key) == key and (a.authoritative or a.seq))
        try:
            print('%d %s' % (a.seq, bytes(a.item['value']).hex()), flush=True)
        except RuntimeError:  # there is no item in the alert
            print('none', flush=True)
    elif word[0] == 'put':
        seed = bytes.fromhex(word[1])
        s.dht_put_mutable_item(expanded(seed), public(seed), bytes.fromhex(word[2]), b'')
        a = alert(s, 'dht_put_alert', lambda a: True)
        print(a.num_success if a else 0, flush=True)
