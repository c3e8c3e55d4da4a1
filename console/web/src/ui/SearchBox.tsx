// The search field: narrows the unit list, Enter goes to the first hit, Escape clears it.
import { change, useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { Icon } from "./icons";

export function SearchBox({ onEnter }: { onEnter: () => void }) {
  const { query } = useSettings();
  const t = useText();
  return (
    <label className="search">
      <Icon name="search" size={16} />
      <input
        data-testid="unit-search"
        type="text"
        inputMode="search"
        autoComplete="off"
        spellCheck={false}
        aria-label={t("search.label")}
        placeholder={t("search.placeholder")}
        value={query}
        onChange={(event) => change({ query: event.target.value, listCollapsed: false })}
        onKeyDown={(event) => {
          if (event.key === "Enter") onEnter();
          if (event.key === "Escape") {
            change({ query: "" });
            event.currentTarget.blur();
          }
        }}
      />
      <span className="kbd" aria-hidden="true">
        /
      </span>
    </label>
  );
}
