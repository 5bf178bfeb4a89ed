import { useEffect } from "react";
import { Icon } from "../components/Icon.tsx";
import { showMoment, useLive } from "./liveStore.ts";

const FRAME_MS = 250;

/** The slider over the steps of which there are maps, and the button that plays them. */
export function LiveTime() {
  const { moments, keptEvery, at, playing } = useLive();
  const last = moments.length - 1;
  const index = Math.min(at ?? last, last);
  const moment = moments[index];
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const now = useLive.getState();
      const end = now.moments.length - 1;
      const next = (now.at ?? end) + 1;
      // At its end the newest is followed again.
      if (next >= end) {
        useLive.setState({ playing: false });
        showMoment(null);
      } else {
        showMoment(next);
      }
    }, FRAME_MS);
    return () => clearInterval(timer);
  }, [playing]);
  const several = new Set(moments.map(({ run }) => run)).size > 1;
  const said = moment === undefined ? "" : `${several ? `${moment.run}, ` : ""}step ${moment.step}`;
  return (
    <div className="live-time">
      <button
        className="icon"
        aria-label={playing ? "Pause the history" : "Play the history"}
        title={playing ? "Pause the history" : "Play the history"}
        disabled={moments.length < 2}
        onClick={() => {
          if (!playing && index === last) showMoment(0);
          useLive.setState({ playing: !playing });
        }}
      >
        <Icon name={playing ? "pause" : "play"} />
      </button>
      <input
        type="range"
        aria-label="Step of the training"
        aria-valuetext={said}
        min={0}
        max={last}
        value={index}
        onChange={({ target }) => {
          const next = Number(target.value);
          useLive.setState({ playing: false });
          showMoment(next === last ? null : next);
        }}
      />
      <output className="number">{said}</output>
      <span className="faint">
        {moments.length} {moments.length === 1 ? "map" : "maps"}
        {keptEvery > 1 &&
          `, every ${keptEvery}${keptEvery === 2 ? "nd" : "th"} one of those taken: memory for them is bounded`}
        {at !== null && index < last ? "; the newest is at the right end" : ""}
      </span>
    </div>
  );
}
