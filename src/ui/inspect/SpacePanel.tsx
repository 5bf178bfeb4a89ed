import { Empty } from "../components/Empty.tsx";
export function SpacePanel() {
  return <Empty title="Space" />;
}
