import {
  Histogram,
  type HistogramConfiguration,
  type MetricObjectWithValues,
  type MetricValueWithName,
} from 'prom-client';

/** The observations of one histogram with the same labels. */
export class Tally {
  /** Per bucket, the last for what is above all bounds; not cumulative. */
  readonly counts: number[];
  sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.sum += value;
  }

  reset(): void {
    this.counts.fill(0);
    this.sum = 0;
  }
}

type Labels = Readonly<Record<string, string | number>>;
type Values = MetricObjectWithValues<MetricValueWithName<string>>;

/**
 * prom-client's histogram for what happens with every event: whoever observes gets the {@link Tally} of its labels once, and
 * adds to it. An observation of prom-client's own makes objects and a string of the labels and looks the bucket up by its
 * number's text, which together cost as much as the event did. Such observations are not shown here.
 */
export class TalliedHistogram extends Histogram {
  /** What is said of it beside its values. */
  private readonly empty: Histogram;
  private readonly named: string;
  private readonly bounds: readonly number[];
  private readonly series = new Map<string, { readonly labels: Labels; readonly tally: Tally }>();

  /** @param configuration with `buckets`, ascending. */
  constructor(configuration: HistogramConfiguration<string>) {
    super(configuration);
    this.empty = new Histogram({ ...configuration, registers: [] });
    this.named = configuration.name;
    this.bounds = [...(configuration.buckets ?? [])];
    if (!configuration.labelNames?.length) this.tally({});
  }

  /** Where to add observations with these labels. The series is shown from then on. */
  tally(labels: Labels): Tally {
    const key = JSON.stringify(labels);
    let series = this.series.get(key);
    if (series === undefined) this.series.set(key, (series = { labels, tally: new Tally(this.bounds) }));
    return series.tally;
  }

  override async get(): Promise<Values> {
    const values = [...this.series.values()].flatMap(({ labels, tally }) => this.valuesOf(labels, tally));
    return { ...(await this.empty.get()), values };
  }

  /** What prom-client asks instead of {@link get} when it writes text. */
  getForPromString(): Promise<Values> {
    return this.get();
  }

  override reset(): void {
    super.reset();
    // prom-client's constructor calls it, when there is nothing yet.
    const series = this.series as typeof this.series | undefined;
    for (const { tally } of series?.values() ?? []) tally.reset();
  }

  private valuesOf(labels: Labels, { counts, sum }: Tally): MetricValueWithName<string>[] {
    const { named, bounds } = this;
    let count = 0;
    const buckets = counts.map((more, i) => ({
      metricName: `${named}_bucket`,
      labels: { le: bounds[i] ?? '+Inf', ...labels },
      value: (count += more),
    }));
    return [
      ...buckets,
      { metricName: `${named}_sum`, labels, value: sum },
      { metricName: `${named}_count`, labels, value: count },
    ];
  }
}
