import type { ReactNode } from "react";

/** What a panel shows when it has nothing: why, and the next useful action. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children !== undefined && <p className="soft">{children}</p>}
      {action !== undefined && <div className="row">{action}</div>}
    </div>
  );
}
