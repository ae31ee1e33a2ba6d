/**
 * Hosts on one machine: network namespaces with a name, an address and a link each, joined by a bridge. Ranks in
 * different namespaces reach each other over TCP alone, and a link can be cut or made slow. Needs root and `ip`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchers, runJob } from './launchers.mjs';

const bridge = 'infclbr';
const name = (host) => `infclr${host}`;
const link = (host) => `infclv${host}`;
const address = (host) => `10.77.0.${10 + host}`;

function ip(...args) {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/** Why there can be no namespaces here, or null. */
export function whyNot() {
  if (process.platform !== 'linux') return 'network namespaces are a matter of Linux';
  if (process.getuid() !== 0) return 'network namespaces need root';
  const probe = `infclprobe${process.pid}`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'delete', probe);
    return null;
  } catch (error) {
    return error.message;
  }
}

/** Ends what still runs in the namespaces, and takes them away. */
function remove(hosts) {
  for (let host = 0; host < hosts; host++) {
    const { stdout, status } = spawnSync('ip', ['netns', 'pids', name(host)], { encoding: 'utf8' });
    for (const pid of status === 0 ? stdout.split('\n').filter(Boolean) : [])
      spawnSync('kill', ['-KILL', pid]);
    spawnSync('ip', ['netns', 'delete', name(host)]);
    // the end of a namespace takes its link away, but some time later
    spawnSync('ip', ['link', 'delete', link(host)]);
  }
  spawnSync('ip', ['link', 'delete', bridge]);
}

/**
 * What a launcher calls in place of ssh: options, the address of a host, and a command. A host has its own name, or
 * else the libraries would think that all ranks share memory.
 */
const agent = `#!/bin/sh
while [ "\${1#-}" != "$1" ]; do shift; done
host=$((\${1##*.} - 10)); shift
exec ip netns exec infclr$host unshare --uts sh -c "hostname infclr$host; $*"
`;

const addresses = (ranks) => Array.from({ length: ranks }, (_, rank) => address(rank + 1));

/** Host 0 has the launcher, host r + 1 has rank r. */
const commands = {
  'Open MPI': (ranks, agentPath) => [
    launchers['Open MPI'].program,
    ...['-n', String(ranks), '--host', addresses(ranks).join(','), '--map-by', 'node'],
    ...['--mca', 'plm', 'rsh', '--mca', 'plm_rsh_agent', agentPath],
    ...['--mca', 'oob_tcp_if_include', 'eth0', '--mca', 'btl_tcp_if_include', 'eth0'],
    ...['--mca', 'pml', 'ob1', '--mca', 'btl', 'tcp,self'],
    // without these the launcher itself waits for a host whose link is cut
    ...[
      'oob_tcp_keepalive_time',
      '3',
      'oob_tcp_keepalive_intvl',
      '1',
      'oob_tcp_keepalive_probes',
      '3',
    ].flatMap((word, at) => (at % 2 === 0 ? ['--mca', word] : [word])),
  ],
  MPICH: (ranks, agentPath) => [
    launchers.MPICH.program,
    ...['-n', String(ranks), '-hosts', addresses(ranks).join(','), '-ppn', '1'],
    ...['-launcher', 'ssh', '-launcher-exec', agentPath, '-iface', 'eth0'],
    ...['-genv', 'UCX_TLS', 'tcp,self', '-genv', 'UCX_NET_DEVICES', 'eth0'],
  ],
};

/** Makes the hosts, calls `work` with a function that runs ranks on them, and takes the hosts away. */
export async function onHosts(mpi, ranks, cwd, work, { megabits } = {}) {
  const hosts = ranks + 1;
  const folder = mkdtempSync(join(tmpdir(), 'infcl-hosts-'));
  const agentPath = join(folder, 'agent.sh');
  writeFileSync(agentPath, agent);
  chmodSync(agentPath, 0o755);
  remove(hosts); // of a run that was killed
  try {
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('link', 'set', bridge, 'up');
    for (let host = 0; host < hosts; host++) {
      ip('netns', 'add', name(host));
      ip('link', 'add', link(host), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name(host));
      ip('link', 'set', link(host), 'master', bridge, 'up');
      ip('-n', name(host), 'addr', 'add', `${address(host)}/24`, 'dev', 'eth0');
      ip('-n', name(host), 'link', 'set', 'eth0', 'up');
      ip('-n', name(host), 'link', 'set', 'lo', 'up');
      if (megabits) slowDown(host, megabits);
    }
    const run = (program, seconds = 120) => {
      const launcher = commands[mpi](ranks, agentPath);
      const start = `hostname ${name(0)}; exec "$@"`;
      const inHost = ['ip', 'netns', 'exec', name(0), 'unshare', '--uts', 'sh', '-c', start, 'sh'];
      return runJob([...inHost, ...launcher, ...program], { cwd, env: launchers[mpi].env, seconds });
    };
    return await work({ run, folder, sentBytes: (rank) => sentBytes(rank + 1) });
  } finally {
    remove(hosts);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The host sends no more than this from now on. */
function slowDown(host, megabits) {
  const rule = ['qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', 'rate', `${megabits}mbit`];
  const command = ['netns', 'exec', name(host), 'tc', ...rule, 'burst', '64kb', 'latency', '400ms'];
  ip(...command);
}

/** What a host has sent so far, with the headers of TCP and of Ethernet. */
function sentBytes(host) {
  const { stdout } = spawnSync('ip', ['-n', name(host), '-s', '-j', 'link', 'show', 'eth0'], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout)[0].stats64.tx.bytes;
}
