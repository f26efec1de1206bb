import { Registry } from 'prom-client';
import { RequestCounts } from './request-counts.js';

describe('RequestCounts', () => {
  it('are written as Prometheus reads a counter and a histogram', async () => {
    const registry = new Registry();
    const counts = new RequestCounts(registry);
    for (const seconds of [0.0004, 0.001, 0.03, 42]) counts.add('GET', '/a', 200, seconds);
    counts.add('GET', '/a', 404, 0.2);
    counts.add('POST', '/a', 200, 0.2);
    const lines = (await registry.metrics()).split('\n');
    expect(lines).toContain('# TYPE rollcall_http_requests_total counter');
    expect(lines).toContain('rollcall_http_requests_total{method="GET",route="/a",status="200"} 4');
    expect(lines).toContain('rollcall_http_requests_total{method="GET",route="/a",status="404"} 1');
    expect(lines).toContain('rollcall_http_requests_total{method="POST",route="/a",status="200"} 1');
    const duration = 'rollcall_http_request_duration_seconds';
    expect(lines).toContain(`# TYPE ${duration} histogram`);
    const buckets = lines.filter((line) => line.startsWith(`${duration}_bucket`) && line.includes('method="GET"'));
    expect(buckets.map((line) => Number(line.split(' ').at(-1)))).toEqual([2, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4, 5]);
    expect(buckets.at(-1)).toBe(`${duration}_bucket{le="+Inf",method="GET",route="/a"} 5`);
    expect(lines).toContain(`${duration}_count{method="GET",route="/a"} 5`);
    expect(lines.some((line) => line.startsWith(`${duration}_sum{method="GET",route="/a"} 42.23`))).toBe(true);
  });
});
