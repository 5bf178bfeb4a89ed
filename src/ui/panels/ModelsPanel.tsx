import { Adapters } from "../models/Adapters.tsx";
import { ModelDetails } from "../models/ModelDetails.tsx";
import { ModelList } from "../models/ModelList.tsx";
import { Split } from "../components/Split.tsx";

function ModelsPanel() {
  return (
    <Split
      name="models"
      side="left"
      initial={300}
      min={240}
      max={440}
      left={<ModelList />}
      right={
        <div className="model-main">
          <ModelDetails />
          <Adapters />
        </div>
      }
    />
  );
}

export const modelsPanel = { id: "models", title: "Models", Component: ModelsPanel } as const;
