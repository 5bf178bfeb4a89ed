// A uPlot with the studio's axes and colours, and a legend that shows each line as it is drawn and turns it on and off.

import uPlot from "uplot";
import type { Chart, Series } from "./stepSeries.ts";

const SVG = "http://www.w3.org/2000/svg";

/** @param lastStep at least so many steps are on the horizontal axis, so that what is left is seen */
export function newPlot(
  element: HTMLElement,
  chart: Chart,
  data: uPlot.AlignedData,
  lastStep: () => number,
): { plot: uPlot; destroy: () => void } {
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
  const plot = new uPlot(
    {
      ...{ width: element.clientWidth, height: element.clientHeight },
      scales: {
        x: { time: false, range: (_plot, _min, max: number | null) => [1, Math.max(max ?? 0, lastStep())] },
        y: { range: (_plot, min: number | null, max: number | null) => verticalRange(chart, min, max) },
      },
      axes: [
        { ...axis, label: "optimizer step", size: 30, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
        { ...axis, label: chart.axis, size: 56, values: (_plot, splits) => splits.map(tickText) },
      ],
      series: [
        { label: "step" },
        ...chart.series.map((series): uPlot.Series => ({
          label: series.label,
          stroke: color(series.color),
          width: series.width,
          dash: [...series.dash],
          spanGaps: series.sparse === true,
          // A single step makes no line.
          points: { show: (made) => made.data[0].length === 1 || isRaw(series) || series.sparse === true, size: 4 },
          value: (_plot, value: number | null) => (value === null ? "–" : legendText(value)),
        })),
      ],
      cursor: { y: false },
      hooks: {
        ready: [(made) => dressLegend(made, chart.series, color)],
        setSeries: [
          (made, index) => {
            if (index !== null) row(made, index)?.setAttribute("aria-pressed", `${made.series[index]?.show === true}`);
          },
        ],
      },
    },
    data,
    element,
  );
  const observer = new ResizeObserver(() => fit(plot, element));
  observer.observe(element);
  return {
    plot,
    destroy: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}

/** Gives the plot what the legend leaves of the holder. The legend is as wide as the plot, and wraps where it is long. */
function fit(plot: uPlot, element: HTMLElement): void {
  plot.setSize({ width: element.clientWidth, height: plot.height });
  // uPlot takes on its size a little later, and then its legend has its own.
  requestAnimationFrame(() => {
    const legend = plot.root.querySelector<HTMLElement>(".u-legend")?.offsetHeight ?? 0;
    plot.setSize({ width: element.clientWidth, height: Math.max(80, element.clientHeight - legend) });
  });
}

/** A range from zero shows a fall at its true size. */
export function verticalRange({ range: [low, high] }: Chart, min: number | null, max: number | null): [number, number] {
  const [least, most] = [min ?? 0, max ?? 1];
  const margin = 0.08 * (most - (low ?? least)) || 0.5;
  return [low ?? least - margin, high ?? most + margin];
}

function isRaw({ width, dash }: Series): boolean {
  return width === 1 && dash.length === 0;
}

/** Margins and learning rates may be millionths: uPlot would write them all as 0. */
export function tickText(value: number): string {
  return isTiny(value) ? Number(value.toPrecision(2)).toExponential() : `${Number(value.toFixed(4))}`;
}

/** The value under the cursor, always of the same length. */
export function legendText(value: number): string {
  return isTiny(value) ? value.toExponential(2) : value.toFixed(4);
}

function isTiny(value: number): boolean {
  return value !== 0 && Math.abs(value) < 1e-3;
}

function row(plot: uPlot, index: number): HTMLElement | null {
  return plot.root.querySelectorAll<HTMLElement>(".u-legend .u-series").item(index);
}

/** uPlot's legend listens to clicks only, and its markers are squares. */
function dressLegend(plot: uPlot, series: readonly Series[], color: (name: string) => string): void {
  for (const [i, { label, dash, width, color: name }] of series.entries()) {
    const line = row(plot, i + 1);
    if (line === null) continue;
    line.tabIndex = 0;
    line.setAttribute("role", "button");
    line.setAttribute("aria-pressed", "true");
    line.setAttribute("aria-label", `Show ${label}`);
    line.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      plot.setSeries(i + 1, { show: plot.series[i + 1]?.show !== true });
    });
    line.querySelector(".u-marker")?.replaceWith(marker(color(name), dash, width));
  }
}

function marker(stroke: string, dash: readonly number[], width: number): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "line-marker");
  svg.setAttribute("viewBox", "0 0 28 8");
  const line = document.createElementNS(SVG, "line");
  const attributes = { x1: 0, x2: 28, y1: 4, y2: 4, stroke, "stroke-width": width, "stroke-dasharray": dash.join(" ") };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, `${value}`);
  svg.append(line);
  return svg;
}
