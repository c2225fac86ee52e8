// What pages do beside links and forms: the reader's time zone, the keyboard, selections, refreshing.
// Everything works without this file; it makes it quicker.
"use strict";
(() => {
  const $ = (query, from = document) => [...from.querySelectorAll(query)];

  // The server writes times in the zone that this cookie names.
  function tellZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!zone || document.documentElement.dataset.zone === zone) return;
    document.cookie = `milepost-zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; secure; samesite=lax`;
    const format = new Intl.DateTimeFormat("en-GB", {
      weekday: "short", day: "numeric", month: "short", year: "numeric",
      hour: "2-digit", minute: "2-digit", timeZoneName: "short",
    });
    for (const time of $("time[datetime*='T']")) {
      const text = format.format(new Date(time.dateTime));
      time.title = text;
      for (const full of $(".full", time)) full.textContent = text;
    }
  }

  // Rows: j and k go through them, Enter opens, x selects.
  let row = -1;
  function goToRow(step) {
    const rows = $("[data-row]");
    if (!rows.length) return;
    row = Math.min(rows.length - 1, Math.max(0, row + step));
    rows.forEach((one, number) => one.classList.toggle("here", number === row));
    const link = rows[row].querySelector("a");
    if (link) link.focus();
    rows[row].scrollIntoView({ block: "nearest" });
  }

  let isGoing = false;
  function pressed(event) {
    const isTyping = event.target.closest("input, textarea, select, dialog[open]");
    if (event.ctrlKey || event.metaKey || event.altKey || (isTyping && event.target.type !== "checkbox")) return;
    const key = event.key;
    if (isGoing) {
      isGoing = false;
      const link = document.querySelector(`.side a[data-key="${CSS.escape(key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (key === "/") { event.preventDefault(); document.getElementById("find")?.focus(); }
    else if (key === "?") document.getElementById("keys")?.showModal();
    else if (key === "g") isGoing = true;
    else if (key === "j") goToRow(1);
    else if (key === "k") goToRow(-1);
    else if (key === "x") { const box = $("[data-row]")[row]?.querySelector("input[type=checkbox]"); if (box) box.click(); }
  }

  // How many rows are selected, and all of them at once.
  function countSelected() {
    for (const form of $("form[data-select]")) {
      const boxes = $("input[name=order], input[name=notice]", form);
      const number = boxes.filter((box) => box.checked).length;
      for (const text of $("[data-selected]", form)) text.textContent = number ? `${number} selected` : text.dataset.nothing;
      const which = form.elements.which;
      for (const button of $("[data-needs-selection]", form)) button.disabled = !number && which?.value !== "all";
      for (const all of $("input[data-all]", form)) {
        all.checked = number > 0 && number === boxes.length;
        all.indeterminate = number > 0 && number < boxes.length;
      }
    }
  }

  function changed(event) {
    const box = event.target;
    if (box.matches("input[data-all]")) {
      for (const one of $("input[name=order], input[name=notice]", box.form)) one.checked = box.checked;
    }
    if (box.matches("form[data-select] input[type=checkbox], form[data-select] [name=which]")) countSelected();
    if (box.matches("[data-submit]")) box.form.requestSubmit();
  }

  // Parts that refresh themselves: slower each time, never while the page is hidden.
  function refresh(part) {
    const first = Number(part.dataset.refresh) * 1000;
    let wait = first;
    const tick = () => {
      if (!part.isConnected || part.querySelector("[data-finished]")) return;
      if (!document.hidden && !part.contains(document.activeElement)) {
        htmx.ajax("GET", part.dataset.from, { target: part, swap: "innerHTML" });
        wait = Math.min(wait * 1.5, first * 8);
      }
      setTimeout(tick, wait);
    };
    setTimeout(tick, wait);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) wait = first; });
  }

  async function copy(event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = said; }, 1500);
  }

  // What stands before a list leaves room for it on a small screen.
  if (matchMedia("(max-width: 47.99rem)").matches) for (const one of $("[data-fold-small]")) one.open = false;

  // On a small screen the list of pages is scrolled sideways: the present one may be out of sight.
  for (const one of $(".side a[aria-current]")) one.closest(".side").scrollLeft = one.offsetLeft - 48;

  tellZone();
  countSelected();
  $("[data-refresh]").forEach(refresh);
  document.addEventListener("keydown", pressed);
  document.addEventListener("change", changed);
  document.addEventListener("click", copy);
  document.addEventListener("htmx:afterSwap", () => { tellZone(); countSelected(); });
})();
