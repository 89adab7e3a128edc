// Unit tests of bootstrap.ts and arguments.ts: the guarantees that only the start of Envoy can give.

import { describe, expect, it } from 'vitest';
import { envoyArguments } from '#envoy/arguments.ts';
import { buildBootstrap } from '#envoy/bootstrap.ts';
import { packMessage } from '#protos/pack.ts';
import { typedMessage } from '#protos/typed-struct.ts';

const options = {
  nodeId: 'edge-1',
  adminPort: 9901,
  maxConnections: 500,
  maxHeapBytes: 1_000_000_000,
  services: {
    xdsServer: { kind: 'unix', path: '/run/x.sock' },
    extAuthz: { kind: 'tcp', host: '127.0.0.1', port: 7001 },
    extProc: { kind: 'tcp', host: 'localhost', port: 7002 },
    rateLimit: { kind: 'tcp', host: '::1', port: 7003 },
  },
} as const;

describe('buildBootstrap()', () => {
  const text = JSON.stringify(buildBootstrap(options));

  it('dials each service where it is', () => {
    expect(text).toContain('"pipe":{"path":"/run/x.sock"}');
    expect(text).toContain('"address":"127.0.0.1","port_value":7001');
    expect(text).toContain('"address":"::1","port_value":7003');
  });

  it('keeps the admin interface to this machine, and closes what could change or stop Envoy', () => {
    const admin = JSON.stringify(buildBootstrap(options)['admin']);
    expect(admin).toContain('"address":"127.0.0.1"');
    for (const path of ['/quitquitquit', '/runtime_modify', '/logging', '/tap', '/reset_counters'])
      expect(admin).not.toContain(path);
  });

  it('names no tenant, server or route: those come over ADS only', () => {
    expect(text).not.toContain('listeners":[');
    expect(text).toContain('"DELTA_GRPC"');
  });

  it('knows its zone only where it is told, and then stays in it', () => {
    expect(text).not.toContain('locality');
    const { node, cluster_manager: manager } = buildBootstrap({ ...options, zone: 'west' });
    expect(node).toMatchObject({ locality: { zone: 'west' } });
    expect(manager).toMatchObject({ local_cluster_name: 'envoys-of-this-zone' });
  });

  it('has a listener of its own for publishers only where one is wanted', () => {
    const publish = {
      listener: {
        listenAddress: '127.0.0.1',
        port: 8443,
        certificateFile: '/tls.pem',
        keyFile: '/tls.key',
        clientCaFile: '/ca.pem',
        clientCrlFile: '',
      },
      secretFiles: { certificate: '/run/c.json', authorities: '/run/a.json' },
      registry: { kind: 'unix', path: '/run/r.sock' },
    } as const;
    const wanted = JSON.stringify(buildBootstrap({ ...options, publish }));
    expect(wanted).toContain('"require_client_certificate":true');
    expect(wanted).toContain('"forward_client_cert_details":"SANITIZE_SET"');
    expect(wanted).toContain('"pipe":{"path":"/run/r.sock"}');
  });

  it('is the same for the same options', () => {
    expect(JSON.stringify(buildBootstrap(options))).toBe(text);
  });

  it('names no field Envoy does not have', () => {
    const { overload_manager: _, admin: __, ...packable } = buildBootstrap(options);
    const bootstrap = typedMessage('envoy.config.bootstrap.v3.Bootstrap', packable);
    expect(() => packMessage(bootstrap)).not.toThrow();
  });
});

describe('envoyArguments()', () => {
  const settings = { bootstrapFile: '/b.json', logLevel: 'warning', concurrency: 0, drainSeconds: 60 };

  it('refuse unknown fields and share nothing with another Envoy', () => {
    const given = envoyArguments(settings);
    expect(given).toContain('--reject-unknown-dynamic-fields');
    expect(given).toContain('--disable-hot-restart');
    expect(given).not.toContain('--concurrency');
  });

  it('name the one before, for one that takes its place, and give it its time', () => {
    const succession = { baseId: 7, socketPath: '/run/hot', epoch: 3 };
    const given = envoyArguments({ ...settings, succession }).join(' ');
    expect(given).toContain('--base-id 7 --socket-path /run/hot --restart-epoch 3');
    expect(given).toContain('--drain-time-s 5 --parent-shutdown-time-s 61');
    expect(given).not.toContain('--disable-hot-restart');
  });

  it('take the number of workers where one is given', () => {
    expect(envoyArguments({ ...settings, concurrency: 3 }).slice(-2)).toEqual(['--concurrency', '3']);
  });
});
