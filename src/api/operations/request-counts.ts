import type { Metric, Registry } from 'prom-client';

const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface RouteCounts {
  readonly method: string;
  readonly route: string;
  readonly byStatus: Map<number, number>;
  /** How many were in each bucket and in none before it; the last one is for those over all. */
  readonly inBucket: number[];
  seconds: number;
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * Counts requests by route in plain numbers and shows them to prom-client when somebody looks. Its own counters hash
 * their labels anew each time, which was a tenth of the time of a look-up (docs/performance.md).
 */
export class RequestCounts {
  private readonly routes = new Map<string, RouteCounts>();

  constructor(registry: Registry) {
    show(registry, 'counter', 'rollcall_http_requests_total', 'Requests answered, by route and status', () =>
      this.totals(),
    );
    show(
      registry,
      'histogram',
      'rollcall_http_request_duration_seconds',
      'Time from the request line to the last byte of the answer, by route',
      () => this.durations('rollcall_http_request_duration_seconds'),
    );
  }

  add(method: string, route: string, status: number, seconds: number): void {
    const key = `${method} ${route}`;
    let counts = this.routes.get(key);
    if (counts === undefined) {
      const inBucket = Array<number>(bucketsSeconds.length + 1).fill(0);
      counts = { method, route, byStatus: new Map(), inBucket, seconds: 0 };
      this.routes.set(key, counts);
    }
    counts.byStatus.set(status, (counts.byStatus.get(status) ?? 0) + 1);
    counts.seconds += seconds;
    let bucket = 0;
    while (bucket < bucketsSeconds.length && seconds > (bucketsSeconds[bucket] as number)) bucket += 1;
    counts.inBucket[bucket] = (counts.inBucket[bucket] as number) + 1;
  }

  private totals(): Value[] {
    return [...this.routes.values()].flatMap(({ method, route, byStatus }) =>
      [...byStatus].map(([status, value]) => ({ labels: { method, route, status }, value })),
    );
  }

  private durations(name: string): Value[] {
    return [...this.routes.values()].flatMap(({ method, route, inBucket, seconds }): Value[] => {
      let count = 0;
      const buckets = inBucket.map((value, index) => ({
        metricName: `${name}_bucket`,
        labels: { le: bucketsSeconds[index] ?? '+Inf', method, route },
        value: (count += value),
      }));
      const labels = { method, route };
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: seconds },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
  }
}

/** The registry asks a metric for its values and writes them down: whether one of the package's classes or not. */
function show(registry: Registry, type: string, name: string, help: string, values: () => Value[]): void {
  const get = () => Promise.resolve({ name, help, type, values: values(), aggregator: 'sum' });
  registry.registerMetric({ name, help, type, get } as unknown as Metric);
}
