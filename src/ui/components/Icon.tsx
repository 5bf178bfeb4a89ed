const PATHS = {
  label: "M3 4.5h7.5l3 3.5-3 3.5H3z M6 8h.01",
  train: "M2.5 13.5h11 M3.5 4c2 5.5 5 6.5 9.5 7",
  inspect: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z M10.5 10.5l3 3",
  evaluate: "M3 13V8 M8 13V3 M13 13V6",
  models: "M8 2l5.5 3v6L8 14l-5.5-3V5z M2.5 5L8 8l5.5-3 M8 8v6",
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4 4l8 8 M12 4l-8 8",
  plus: "M8 3v10 M3 8h10",
  undo: "M5.5 3L2.5 6l3 3 M2.5 6H9a3.5 3.5 0 1 1 0 7H6",
  redo: "M10.5 3l3 3-3 3 M13.5 6H7a3.5 3.5 0 1 0 0 7h3",
  pause: "M5.5 3.5v9 M10.5 3.5v9",
  play: "M5 3.5v9l7-4.5z",
  stop: "M4.5 4.5h7v7h-7z",
  sun: "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z M8 1.5v1.5 M8 13v1.5 M1.5 8H3 M13 8h1.5 M3.4 3.4l1 1 M11.6 11.6l1 1 M3.4 12.6l1-1 M11.6 4.4l1-1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
  more: "M3.5 8h.01 M8 8h.01 M12.5 8h.01",
  down: "M4 6l4 4 4-4",
  open: "M2.5 12.5v-9h4l1.5 2h5.5v7z",
  warning: "M8 2.5l6 10.5H2z M8 6.5v3 M8 11.2h.01",
  pin: "M5.5 2.5h5 M6.5 2.5v4L4.5 9h7l-2-2.5v-4 M8 9v4.5",
  save: "M8 2.5v7 M5 7l3 3 3-3 M3 13h10",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
