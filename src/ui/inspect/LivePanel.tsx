import { useEffect } from "react";
import { Empty } from "../components/Empty.tsx";
import { useCurrentDocument } from "../label/labelStore.ts";
import { useEngine } from "../stores/engineStore.ts";
import { AttentionMaps } from "./AttentionMaps.tsx";
import { DrawnTools } from "./DrawnTools.tsx";
import { ExportButtons } from "./ExportButtons.tsx";
import { useInspect } from "./inspectStore.ts";
import { HeadSelect, LayerSelect } from "./LayerHead.tsx";
import { drawMoment, EVERY_RANGE, follow, type Followed, setEvery, unfollow, useLive } from "./liveStore.ts";
import { LiveTime } from "./LiveTime.tsx";
import { useAttentionQuestion } from "./requests.ts";

/** One sentence's attention while the model learns: drawn anew every few steps, and played back. */
export function LivePanel() {
  const wanted = useWanted();
  const { followed, moments, shown, at } = useLive();
  const drawn = useInspect((state) => state.drawn);
  // The scale and the difference are shared with the other maps.
  useEffect(() => void drawMoment(), [drawn]);
  const maps = shown?.view.maps.length ?? 0;
  const index = Math.min(at ?? moments.length - 1, moments.length - 1);
  return (
    <div className="inspect-body">
      <div className="inspect-tools">
        <FollowButton wanted={wanted} />
        <LayerSelect />
        <HeadSelect />
        <EverySetting />
        <DrawnTools maps={maps} onChange={() => undefined} />
        <span className="grow" />
        <ExportButtons
          disabled={shown === null || index < 0}
          file={(client, format) => client.liveFile(index, format, useInspect.getState().drawn)}
        />
      </div>
      <LiveStatus wanted={wanted} />
      {shown !== null && moments.length > 0 ? (
        <div className="inspect-figure">
          <LiveTime />
          <AttentionMaps view={shown.view} paint={shown.paint} />
        </div>
      ) : (
        <Empty title={followed === null ? "No sentence is followed" : "Waiting for a training"}>
          {followed === null
            ? "Follow the sentence on screen, then train: its map is drawn anew every few steps, and stays to be played back."
            : "The map before the first step comes when a training starts; it goes on under Train while you look here."}
        </Empty>
      )}
    </div>
  );
}

/** The sentence, type, layer and head on screen. */
function useWanted(): Followed | null {
  const document = useCurrentDocument();
  const question = useAttentionQuestion();
  if (document === null || question === null) return null;
  const { type, layer, head } = question.request;
  const which = head === "mean" ? "mean of heads" : head === "all" ? "all heads" : `head ${head}`;
  // Which states are compared elsewhere does not matter here.
  const { id, text, entities } = question.request.document;
  const key = JSON.stringify([id, text, entities, type, layer, head]);
  return { key, name: `${document.id}, ${type.name}, layer ${layer}, ${which}`, question };
}

function FollowButton({ wanted }: { wanted: Followed | null }) {
  const followed = useLive((state) => state.followed);
  if (followed !== null && followed.key === wanted?.key) {
    return <button onClick={() => void unfollow()}>Stop following</button>;
  }
  return (
    <button
      className={followed === null ? "primary" : ""}
      disabled={wanted === null}
      title={wanted === null ? "Needs a model, and a type to ask for" : undefined}
      onClick={() => wanted !== null && void follow(wanted)}
    >
      {followed === null ? "Follow this sentence" : "Follow this instead"}
    </button>
  );
}

function EverySetting() {
  const every = useLive((state) => state.every);
  const [least, most] = EVERY_RANGE;
  return (
    <label className="row" title="Each map costs a forward pass of this sentence up to the layer">
      <span className="soft">Every</span>
      <input
        type="number"
        aria-label="Steps between maps"
        min={least}
        max={most}
        defaultValue={every}
        onChange={({ target }) => {
          const next = Number(target.value);
          const good = Number.isInteger(next) && next >= least && next <= most;
          target.setCustomValidity(good ? "" : `expected a whole number from ${least} to ${most}`);
          if (good) void setEvery(next);
        }}
      />
      <span className="soft">steps</span>
    </label>
  );
}

function LiveStatus({ wanted }: { wanted: Followed | null }) {
  const { followed, failed, seconds, moments } = useLive();
  const training = useEngine((state) => state.job?.kind === "train");
  if (failed !== null) {
    return (
      <div className="look-status" role="alert">
        <span className="bad">No map: {failed}. The training is not touched by it.</span>
      </div>
    );
  }
  if (followed === null) return null;
  return (
    <div className="look-status" role="status">
      {training && <span className="dot running" />}
      <span>
        Follows {followed.name}
        {followed.key === wanted?.key ? "" : " (not the sentence on screen)"}.{" "}
        {moments.length > 0 && <span className="soft">A map takes {seconds.toFixed(1)} s.</span>}
      </span>
    </div>
  );
}
