import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { TrustedProxies } from './client-address.js';
import { networkOf } from './network-of.js';

const lookEveryMs = 250;
/** Open files reserved for the database, the log and documents, unless that is more than half of the limit. */
const reservedFiles = 1_500;
/** For all sockets together: answers waiting to be read. */
const maxUnsentBytes = 64 * 1024 * 1024;
/** How fast answers must be read after a slow reader's grace period. */
const minBytesPerSecond = 8 * 1024;
const graceMs = 10_000;

export type CutReason = 'too_many' | 'slow_reader' | 'memory';

interface Connection {
  /** null for a proxy, which stands for many clients. */
  readonly network: string | null;
  readonly onClose: () => void;
  /** Since when it has had unread data; null if it has read everything. */
  behindSince: number | null;
  takenBefore: number;
}

/**
 * HTTP connections, and the memory they may use once their requests no longer count: how many one network may have, how
 * slowly they may read answers, and how many bytes may wait for all of them. Gateway sockets have limits of their own,
 * and count here only as open files. Everything is checked a few times a second, so that requests cost nothing extra.
 */
export class Connections {
  readonly cut: Record<CutReason, number> = { too_many: 0, slow_reader: 0, memory: 0 };
  private readonly all = new Map<Socket, Connection>();
  private readonly ofNetwork = new Map<string, number>();

  constructor(
    private readonly maxPerNetwork: number,
    private readonly isTrustedProxy: TrustedProxies,
    private readonly now: () => number,
  ) {}

  guard(server: Server): void {
    server.on('connection', (socket: Socket) => this.add(socket));
    // It comes back as a new socket if the upgrade is not for the gateway (`serveWithoutUpgrade`).
    server.on('upgrade', (_request: unknown, socket: Socket) => this.remove(socket));
    const limit = maxOpenFiles();
    if (limit !== null) server.maxConnections = Math.max(limit - reservedFiles, Math.floor(limit / 2));
    let dropped = false;
    server.on('drop', () => {
      this.cut.too_many += 1;
      dropped = true;
    });
    const timer = setInterval(() => {
      this.look();
      // Idle connections make room for those with requests.
      if (dropped) server.closeIdleConnections();
      dropped = false;
    }, lookEveryMs).unref();
    server.once('close', () => clearInterval(timer));
  }

  end(socket: Socket, reason: CutReason): void {
    this.cut[reason] += 1;
    socket.destroy();
  }

  private add(socket: Socket): void {
    const { remoteAddress = '' } = socket;
    const network = this.isTrustedProxy(remoteAddress) ? null : networkOf(remoteAddress);
    if (network !== null) {
      const open = this.ofNetwork.get(network) ?? 0;
      if (open >= this.maxPerNetwork) return this.end(socket, 'too_many');
      this.ofNetwork.set(network, open + 1);
    }
    const onClose = (): void => this.remove(socket);
    this.all.set(socket, { network, onClose, behindSince: null, takenBefore: 0 });
    socket.once('close', onClose);
  }

  private remove(socket: Socket): void {
    const connection = this.all.get(socket);
    if (connection === undefined) return;
    const { network, onClose } = connection;
    this.all.delete(socket);
    socket.off('close', onClose);
    if (network === null) return;
    const left = (this.ofNetwork.get(network) ?? 1) - 1;
    if (left > 0) this.ofNetwork.set(network, left);
    else this.ofNetwork.delete(network);
  }

  private look(): void {
    const now = this.now();
    const behind: { socket: Socket; unsent: number; since: number }[] = [];
    let unsentOfAll = 0;
    for (const [socket, connection] of this.all) {
      const unsent = socket.writableLength;
      if (unsent === 0) {
        connection.behindSince = null;
        continue;
      }
      if (connection.behindSince === null) {
        connection.behindSince = now;
        connection.takenBefore = socket.bytesWritten - unsent;
      }
      const since = connection.behindSince;
      // Everything written since then, so that a long answer gets the time that it needs.
      const given = socket.bytesWritten - connection.takenBefore;
      if (now - since > graceMs + (given / minBytesPerSecond) * 1_000) {
        this.end(socket, 'slow_reader');
        continue;
      }
      unsentOfAll += unsent;
      behind.push({ socket, unsent, since });
    }
    if (unsentOfAll <= maxUnsentBytes) return;
    // The one that has been slow for longest goes first.
    behind.sort((one, other) => one.since - other.since);
    for (const { socket, unsent } of behind) {
      if (unsentOfAll <= maxUnsentBytes) return;
      unsentOfAll -= unsent;
      this.end(socket, 'memory');
    }
  }
}

/** null if there is no limit, or the system reports none. */
function maxOpenFiles(): number | null {
  // Otherwise it would look up the names of other machines. The option is missing from the types.
  const report = Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = report.getReport() as { userLimits?: { open_files: { soft: number | 'unlimited' } } };
  const soft = userLimits?.open_files.soft;
  return typeof soft === 'number' ? soft : null;
}
