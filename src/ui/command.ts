export interface Command {
  id: string;
  /** Heading in the key sheet and the palette. */
  group: string;
  title: string;
  /** As `pressedKey` names them; two keys one after the other are parted by a space. The first one is shown. */
  keys: readonly string[];
  run(): void;
}
