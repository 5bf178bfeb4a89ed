import { useMemo, useState } from "react";
import type { TrainConfig } from "../../worker/protocol.ts";
import { formatCount } from "../format.ts";
import { SettingField, settingText } from "./SettingField.tsx";
import { INHERITED, type Inherited, type Setting, settingsOf } from "./settings.ts";
import { configOf, currentConfig, stageBefore, useTrain, type PresetName } from "./trainStore.ts";
import { useStartAdapter } from "./useStartAdapter.ts";

const PRESETS: readonly [PresetName, string, string][] = [
  ["quick", "Quick look", "A few minutes on an integrated GPU"],
  ["paper", "Paper", "The paper's values"],
  ["mine", "My settings", "Begins from the preset that was on"],
];

/** A row whose line and range show below the table while it is pointed at or edited. */
type Explain = (text: string) => { onPointerEnter: () => void; onFocus: () => void };

export function Settings({ disabled, heldout }: { disabled: boolean; heldout: number }) {
  const state = useTrain();
  const [about, setAbout] = useState("");
  const own = currentConfig(state);
  const inherited = useInherited();
  const config = useMemo(() => own && { ...own, ...inherited }, [own, inherited]);
  if (config === null || state.presets === null) return null;
  const { paper } = state.presets[state.stage];
  const explain: Explain = (text) => ({ onPointerEnter: () => setAbout(text), onFocus: () => setAbout(text) });
  const settings = settingsOf(state.stage);
  const rows = (advanced: boolean) =>
    settings
      .filter((setting) => setting.advanced === advanced)
      .map((setting) => (
        <SettingRow
          key={setting.key}
          setting={setting}
          config={config}
          paper={paper}
          explain={explain}
          isInherited={inherited !== null && INHERITED.some((key) => key === setting.key)}
        />
      ));
  return (
    <fieldset className="settings" disabled={disabled}>
      <legend className="visually-hidden">Settings</legend>
      <div className="segmented" role="group" aria-label="Preset">
        {PRESETS.map(([name, title, hint]) => (
          <button
            key={name}
            type="button"
            aria-pressed={state.preset === name}
            title={hint}
            onClick={() => state.choosePreset(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Value</th>
            <th scope="col" className="right">
              Paper
            </th>
          </tr>
        </thead>
        <tbody>
          {rows(false)}
          <HeldoutRows heldout={heldout} explain={explain} />
        </tbody>
      </table>
      <details>
        <summary>Advanced</summary>
        <table>
          <tbody>{rows(true)}</tbody>
        </table>
      </details>
      <p className="setting-about soft" aria-live="polite">
        {about === "" ? "Point at a setting to see what it does and its range." : about}
      </p>
    </fieldset>
  );
}

/** Of the stage on show, where it begins with an adapter: that one's, or what the stage before is to make. */
function useInherited(): Inherited | null {
  const before = useTrain((state) => {
    const stage = stageBefore(state, state.stage);
    return stage === null ? null : configOf(state, stage);
  });
  const parent = useStartAdapter();
  return useMemo(() => {
    const from = before ?? parent;
    // An adapter's record has its targets as PEFT names them, which are the engine's names.
    return from && { rank: from.rank, alpha: from.alpha, targets: from.targets as TrainConfig["targets"] };
  }, [before, parent]);
}

interface SettingRowProps {
  setting: Setting;
  config: TrainConfig;
  paper: TrainConfig;
  explain: Explain;
  isInherited: boolean;
}

function SettingRow({ setting, config, paper, explain, isInherited }: SettingRowProps) {
  const { key, title } = setting;
  const does = isInherited ? "that of the adapter which the stage begins with." : setting.does;
  const range = isInherited ? "" : rangeText(setting);
  const id = `setting-${key}`;
  if (setting.kind === "kinds") {
    return (
      <tr {...explain(`${title}: ${does}`)}>
        <td colSpan={3}>
          <span className="kinds-title">{title}</span>
          <SettingField setting={setting} config={config} id={id} />
        </td>
      </tr>
    );
  }
  return (
    <tr {...explain(`${title}: ${does}${range}`)}>
      <td>
        <label htmlFor={id}>{title}</label>
      </td>
      <td>
        <SettingField setting={setting} config={config} id={id} disabled={isInherited} />
      </td>
      <td className={setting.kind === "number" ? "right number faint" : "right faint"}>
        {settingText(setting, paper)}
      </td>
    </tr>
  );
}

/** " From 1 to 64."; nothing for a choice of names. */
function rangeText(setting: Setting): string {
  if (setting.kind === "number") return ` From ${setting.min} to ${setting.max}.`;
  return setting.kind === "optional" ? ` A whole number from ${setting.min}.` : "";
}

/** What is predicted while training; no part of the run's settings. */
function HeldoutRows({ heldout, explain }: { heldout: number; explain: Explain }) {
  const evaluate = useTrain((state) => state.evaluate);
  const heldoutLimit = useTrain((state) => state.heldoutLimit);
  return (
    <>
      <tr {...explain("Predict held-out: when the held-out sentences are predicted with the adapter as it is.")}>
        <td>
          <label htmlFor="setting-evaluate">Predict held-out</label>
        </td>
        <td>
          <select
            id="setting-evaluate"
            value={evaluate}
            onChange={(event) => useTrain.setState({ evaluate: event.target.value as "epoch" | "end" | "never" })}
          >
            <option value="epoch">each epoch</option>
            <option value="end">at the end</option>
            <option value="never">never</option>
          </select>
        </td>
        <td />
      </tr>
      <tr {...explain("Held-out sentences: fewer make a quicker look at a coarser score.")}>
        <td>
          <label htmlFor="setting-heldout">Held-out sentences</label>
        </td>
        <td>
          <input
            id="setting-heldout"
            type="number"
            min={1}
            max={heldout}
            placeholder={`all ${formatCount(heldout)}`}
            value={heldoutLimit ?? ""}
            onChange={(event) =>
              useTrain.setState({
                heldoutLimit: event.target.value === "" ? null : Math.max(1, Number(event.target.value)),
              })
            }
          />
        </td>
        <td />
      </tr>
    </>
  );
}
