"use strict";
// A page of a run that still goes on: read again every few seconds, unless the reader says no.
(() => {
  const box = document.getElementById("again");
  const seconds = Number(box.dataset.seconds);
  const remembered = (() => { try { return sessionStorage.getItem("ganaug-again"); } catch { return null; } })();
  box.checked = remembered !== "no";
  box.addEventListener("change", () => {
    try { sessionStorage.setItem("ganaug-again", box.checked ? "yes" : "no"); } catch { /* it is asked again */ }
  });
  setInterval(() => { if (box.checked && !document.hidden) location.reload(); }, 1000 * seconds);
})();
