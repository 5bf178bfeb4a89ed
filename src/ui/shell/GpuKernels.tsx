import type { FamilyName, KernelProduct, KernelReport, KernelSetting } from "../../worker/protocol.ts";
import { formatCount } from "../format.ts";
import { ask, setKernels, useEngine } from "../stores/engineStore.ts";
import { JobButtons, JobProgress } from "./JobChip.tsx";

/** Those that are measured against each other. */
const FAMILIES = ["registers", "subgroups", "tiled"] as const satisfies readonly FamilyName[];
const DIRECTIONS = { forward: "Forward", backward: "Backward" } as const;
const ROWS = { one: "1–2 rows", few: "up to 32 rows", many: "many rows" } as const;

/** Which kernels compute the linear layers, what was measured of each, and the user's word on it. */
export function GpuKernels() {
  const kernels = useEngine((state) => state.kernels);
  const modelTypes = useEngine(({ model }) =>
    (model.kind === "open" ? Object.keys(model.facts.tensorTypes) : []).join(),
  );
  if (kernels === null) return null;
  const { setting, available, products } = kernels;
  const types = modelTypes.split(",");
  const columns = setting === "tiled-f16" ? [...FAMILIES, setting] : FAMILIES;
  return (
    <section className="gpu-kernels" aria-label="Kernels">
      <header className="row">
        <h2 className="grow">Kernels of linear layers</h2>
        <div className="segmented" role="group" aria-label="Which kernels">
          {(["auto", ...FAMILIES, "tiled-f16"] as const).map((each) => (
            <button
              key={each}
              aria-pressed={each === setting}
              disabled={!available.includes(each)}
              title={available.includes(each) ? undefined : "This adapter cannot run them"}
              onClick={() => setKernels(each)}
            >
              {each}
            </button>
          ))}
        </div>
      </header>
      <p className="muted">{explanation(setting)}</p>
      {products.length > 0 && (
        <table aria-label="Measured kernels">
          <thead>
            <tr>
              <th scope="col">GFLOP/s of a product</th>
              {columns.map((family) => (
                <th key={family} scope="col" className="right">
                  {family}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {products.map((product) => (
              <ProductRow key={keyOf(product)} product={product} types={types} columns={columns} />
            ))}
          </tbody>
        </table>
      )}
      <Measuring kernels={kernels} />
    </section>
  );
}

interface ProductRowProps {
  readonly product: KernelProduct;
  /** Of the open model. */
  readonly types: readonly string[];
  readonly columns: readonly FamilyName[];
}

function ProductRow({ product, types, columns }: ProductRowProps) {
  const { direction, rowClass, weights, measured, runs, families } = product;
  const own = weights.filter((type) => types.includes(type));
  return (
    <tr>
      <th scope="row" title={measured ?? "Not measured"}>
        {DIRECTIONS[direction]}, {ROWS[rowClass]}{" "}
        <span className="faint">{(own.length > 0 ? own : weights).join(", ")}</span>
      </th>
      {columns.map((family) => {
        const time = families[family];
        const chosen = family === runs;
        return (
          <td
            key={family}
            className={chosen ? "right number chosen" : "right number"}
            aria-current={chosen}
            title={time === undefined ? undefined : sizesText(time.sizes)}
          >
            {time === undefined ? (chosen ? "runs" : "–") : formatGflops(time.gflops)}
            {time !== undefined && <span className="faint">{formatMilliseconds(time.milliseconds)}</span>}
          </td>
        );
      })}
    </tr>
  );
}

/** When it was measured, and the button to measure again; while that goes on, how far it is. */
function Measuring({ kernels: { measuredAt } }: { kernels: KernelReport }) {
  const job = useEngine((state) => state.job);
  const model = useEngine((state) => state.model.kind);
  const adapter = useEngine(({ gpu }) => (gpu.kind === "ready" ? gpu.report.adapterName : ""));
  const isSoftware = useEngine(({ gpu }) => gpu.kind === "ready" && gpu.report.isSoftware);
  if (job?.kind === "tune") {
    return (
      <footer className="row" role="status">
        <span className="dot running" />
        <span>{job.pending ?? job.phase ?? "starting"}</span>
        <JobProgress job={job} />
        <JobButtons job={job} />
      </footer>
    );
  }
  const why = model !== "open" ? "No model is open" : job === null ? undefined : `Waits for: ${job.name}`;
  return (
    <footer className="row">
      <span className="grow soft">
        {measuredAt === null
          ? "Not measured yet."
          : `Measured on ${adapter}, ${new Date(measuredAt).toLocaleString()}.`}
        {isSoftware && " On a software adapter this may take some minutes."}
      </span>
      <button disabled={why !== undefined} title={why} onClick={() => void ask((client) => client.tuneKernels())}>
        {measuredAt === null ? "Measure" : "Measure again"}
      </button>
    </footer>
  );
}

function explanation(setting: KernelSetting): string {
  const runs = "A training that began with other kernels goes on with those.";
  switch (setting) {
    case "auto":
      return `The fastest that were measured run; marked below. ${runs}`;
    case "tiled-f16":
      return `These add up in f16 in part: other numbers, within what f16 holds, and so never measured against the rest. ${runs}`;
    case "registers":
    case "subgroups":
    case "tiled":
      return `These run from the next job on, whatever was measured. ${runs}`;
  }
}

/** "WG_X 16, WG_Y 2" */
function sizesText(sizes: Readonly<Record<string, number>>): string | undefined {
  const named = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  return named.length === 0 ? undefined : named.join(", ");
}

function keyOf({ direction, rowClass, weights }: KernelProduct): string {
  return `${direction} ${rowClass} ${weights.join()}`;
}

function formatGflops(gflops: number): string {
  return gflops < 100 ? gflops.toPrecision(gflops < 1 ? 2 : 3) : formatCount(gflops);
}

function formatMilliseconds(milliseconds: number): string {
  return ` ${milliseconds < 100 ? milliseconds.toPrecision(3) : formatCount(milliseconds)} ms`;
}
