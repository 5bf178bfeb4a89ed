import { useEffect, useRef, type ReactNode } from "react";
import { useView } from "../stores/viewStore.ts";
import { Icon } from "./Icon.tsx";

/** A modal over the page; Escape, the cross and a click outside close it. */
export function Dialog({ title, children, wide = false }: { title: string; children: ReactNode; wide?: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  const close = (): void => useView.getState().setOverlay(null);
  useEffect(() => {
    element.current?.showModal();
    // showModal gives the focus to the first control, which is the cross.
    element.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, []);
  return (
    <dialog
      ref={element}
      className={wide ? "dialog wide" : "dialog"}
      aria-label={title}
      onClose={close}
      onPointerDown={(event) => {
        if (event.target === element.current) close();
      }}
    >
      <div className="dialog-body">
        <header className="row">
          <h1 className="grow">{title}</h1>
          <button className="quiet icon" onClick={close} aria-label="Close" title="Close (Esc)">
            <Icon name="cross" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
