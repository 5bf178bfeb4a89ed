import { Icon } from "../components/Icon.tsx";
import { goToPanel } from "../label/goToPanel.ts";
import { PANEL_IDS } from "../panelIds.ts";
import { PANELS } from "../panels.ts";
import { formatRoute } from "../route.ts";
import { useView } from "../stores/viewStore.ts";

export function Rail() {
  const { panel, documentId, inspect } = useView();
  return (
    <nav className="rail" aria-label="Workspaces">
      {PANEL_IDS.map((id) => (
        <a
          key={id}
          href={formatRoute({ panel: id, documentId, inspect })}
          className={id === panel ? "current" : ""}
          aria-current={id === panel ? "page" : undefined}
          title={`${PANELS[id].title} (g ${id[0] ?? ""})`}
          onClick={(event) => {
            event.preventDefault();
            goToPanel(id);
          }}
        >
          <Icon name={id} />
          {PANELS[id].title}
        </a>
      ))}
    </nav>
  );
}
