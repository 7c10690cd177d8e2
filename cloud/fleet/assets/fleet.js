// The page works without this. With it, a page that somebody looks at is
// loaded anew every half minute, and "/" leads to the search.
"use strict";
const search = document.getElementById("q");
document.addEventListener("keydown", (e) => {
  const typing = e.target instanceof HTMLInputElement;
  if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey && search) {
    e.preventDefault();
    search.focus();
    search.select();
  }
});
let loaded = Date.now();
let touched = 0;
for (const kind of ["keydown", "pointerdown", "wheel", "scroll"]) {
  document.addEventListener(kind, () => { touched = Date.now(); }, { passive: true, capture: true });
}
setInterval(() => {
  const now = Date.now();
  if (document.visibilityState === "visible" && now - loaded > 30000 && now - touched > 10000 &&
      !(document.activeElement instanceof HTMLInputElement) && String(getSelection()) === "") {
    loaded = now;
    location.reload();
  }
}, 2000);
