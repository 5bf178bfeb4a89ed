import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import { download } from "../documents/download.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import type { StepLog } from "../../worker/protocol.ts";
import { newPlot } from "./plot.ts";
import { type Chart, chartsOf, dataOf, logsCsv, type Overlay } from "./stepSeries.ts";
import { useTrain } from "./trainStore.ts";

/** The running training's losses and, for DPO, what its pairs do; or those of the last one. */
export function StepCharts() {
  const logs = useEngine((state) => state.stepLogs);
  const beta = useEngine((state) => state.trainedConfig?.beta ?? 1);
  const scores = useEngine(({ runs, trainedAdapter }) => runs.find(({ id }) => id === trainedAdapter)?.scores);
  const charts = chartsOf(logs, { beta }, useOverlays(), scores);
  return (
    <div className={charts.length > 1 ? "charts many" : "charts"}>
      {charts.map((chart, index) => (
        <StepChart
          // Another set of lines is another plot.
          key={`${chart.file} ${chart.series.map(({ label }) => label).join()} ${beta}`}
          chart={chart}
          data={dataOf(chart, logs)}
          logs={logs}
          csv={index === 0}
        />
      ))}
    </div>
  );
}

function StepChart(props: { chart: Chart; data: ReturnType<typeof dataOf>; logs: readonly StepLog[]; csv: boolean }) {
  const { chart, data, logs, csv } = props;
  const dark = useView((state) => state.dark);
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const drawn = useRef({ chart, data });

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = newPlot(element, drawn.current.chart, drawn.current.data, () =>
      Math.max(useEngine.getState().job?.totalSteps ?? 0, 5),
    );
    plot.current = made.plot;
    return made.destroy;
  }, [dark]);
  useEffect(() => {
    drawn.current.data = data;
    plot.current?.setData(data);
  }, [data]);

  const savePng = (): void => {
    plot.current?.ctx.canvas.toBlob((blob) => {
      if (blob !== null) download(`${chart.file}.png`, blob, "image/png");
    });
  };
  return (
    <figure className={chart.small === true ? "chart small" : "chart"} aria-label={`${chart.title} by step`}>
      <figcaption className="row">
        <h2 className="grow">{chart.title}</h2>
        {csv && (
          <button
            className="quiet small"
            title="All that the steps logged"
            disabled={logs.length === 0}
            onClick={() => download("training.csv", logsCsv(logs), "text/csv")}
          >
            CSV
          </button>
        )}
        <button className="quiet small" disabled={logs.length === 0} onClick={savePng}>
          PNG
        </button>
      </figcaption>
      <div ref={holder} className="chart-holder" />
    </figure>
  );
}

function useOverlays(): Overlay[] {
  const runs = useEngine((state) => state.runs);
  const overlaid = useTrain((state) => state.overlaid);
  const shown = useEngine((state) => state.trainedAdapter);
  return runs.filter(({ id }) => id !== shown && overlaid.includes(id));
}
