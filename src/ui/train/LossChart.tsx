import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { download } from "../documents/download.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import type { StepLog } from "../../worker/protocol.ts";

/** Weight of the past in the smoothed line. */
const SMOOTHING = 0.7;

export function LossChart() {
  const logs = useEngine((state) => state.stepLogs);
  const theme = useView((state) => state.theme);
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const plot = new uPlot(chartOptions(element), chartData(useEngine.getState().stepLogs), element);
    chart.current = plot;
    const observer = new ResizeObserver(() => {
      plot.setSize({ width: element.clientWidth, height: element.clientHeight - LEGEND_HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [theme]);
  useEffect(() => chart.current?.setData(chartData(logs)), [logs]);

  const saveCsv = (): void => {
    const lines = logs.map((log) =>
      [log.step, log.epoch, log.loss, log.learning_rate, log.grad_norm, log.num_tokens].join(","),
    );
    download("training.csv", `step,epoch,loss,learning_rate,grad_norm,num_tokens\n${lines.join("\n")}\n`, "text/csv");
  };
  const savePng = (): void => {
    chart.current?.ctx.canvas.toBlob((blob) => {
      if (blob !== null) download("loss.png", blob, "image/png");
    });
  };

  return (
    <figure className="chart" aria-label="Loss by step">
      <figcaption className="row">
        <h2 className="grow">Loss</h2>
        <button className="quiet small" disabled={logs.length === 0} onClick={saveCsv}>
          CSV
        </button>
        <button className="quiet small" disabled={logs.length === 0} onClick={savePng}>
          PNG
        </button>
      </figcaption>
      <div ref={holder} className="chart-holder" />
    </figure>
  );
}

const LEGEND_HEIGHT = 28;

function chartOptions(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: color("--text-soft"),
    font: `11px ${color("--mono")}`,
    labelFont: `11px ${color("--font")}`,
    labelSize: 20,
    grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 },
  };
  return {
    width: element.clientWidth,
    height: element.clientHeight - LEGEND_HEIGHT,
    scales: { x: { time: false, range: xRange }, y: { range: yRange } },
    axes: [
      { ...axis, label: "optimizer step", size: 30, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
      { ...axis, label: "loss, nats a token", size: 56 },
    ],
    series: [
      { label: "step" },
      {
        label: "loss",
        stroke: color("--text-faint"),
        width: 1,
        points: { size: 4 },
        value: (_plot, value: number | null) => value?.toFixed(4) ?? "–",
      },
      {
        label: "smoothed",
        stroke: color("--accent"),
        width: 2,
        points: { show: false },
        value: (_plot, value: number | null) => value?.toFixed(4) ?? "–",
      },
    ],
    cursor: { y: false },
  };
}

/** As far as the running training will go, so that what is left is seen. */
function xRange(_plot: uPlot, _min: number | null, max: number | null): [number, number] {
  return [1, Math.max(max ?? 0, useEngine.getState().job?.totalSteps ?? 0, 5)];
}

/** From zero, so that a fall is seen at its true size. */
function yRange(_plot: uPlot, _min: number, max: number | null): [number, number] {
  return [0, max === null || max <= 0 ? 1 : max * 1.08];
}

function chartData(logs: readonly StepLog[]): uPlot.AlignedData {
  const smoothed: number[] = [];
  for (const { loss } of logs) {
    const before = smoothed.at(-1);
    smoothed.push(before === undefined ? loss : SMOOTHING * before + (1 - SMOOTHING) * loss);
  }
  return [logs.map(({ step }) => step), logs.map(({ loss }) => loss), smoothed];
}
