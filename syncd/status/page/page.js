// What the page does when it may run script: times in the reader's zone, counts that follow, and a bar that says that
// there is news. Nothing moves by itself but a number in its place and the status of the record one has just acted on.
"use strict";
(() => {
  const language = document.documentElement.lang;
  const whole = new Intl.NumberFormat(language);
  const plural = new Intl.PluralRules(language);
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const bar = document.getElementById("news");
  const moved = new Set();
  let stream = null;
  let greeted = false;
  let waiting = null;

  const main = () => document.getElementById("main");
  const follows = () => main().dataset.follows;

  function localTimes() {
    for (const time of document.querySelectorAll("time[datetime]:not([title])")) {
      time.title = time.textContent;
      time.textContent = clock.format(new Date(time.dateTime));
    }
  }

  function fresh(path) {
    return htmx.ajax("GET", path, { target: "#main", select: "#main", swap: "outerHTML" });
  }

  function hush() {
    moved.clear();
    bar.hidden = true;
  }

  function tell() {
    const text = bar.dataset[plural.select(moved.size)] || bar.dataset.other;
    bar.querySelector("span").textContent = text.replace("{n}", whole.format(moved.size));
    bar.hidden = moved.size === 0;
  }

  // What is under way is brought up to date in its place, at most every two seconds.
  function progress() {
    const running = () => document.querySelector("#progress[data-running]");
    if (waiting || !running()) return;
    waiting = setTimeout(() => {
      waiting = null;
      if (running()) htmx.ajax("GET", "/progress", { target: "#progress", select: "#progress", swap: "outerHTML" });
    }, 2000);
  }

  function counts(rows) {
    progress();
    const cells = new Map([...document.querySelectorAll("[data-count]")].map((cell) => [cell.dataset.count, cell]));
    for (const row of rows) {
      const cell = cells.get(`${row.sync}/${row.flow}/${row.status}`);
      if (!cell) continue;
      cell.textContent = whole.format(row.n);
      cell.parentElement.classList.toggle("zero", row.n === 0);
      cell.parentElement.classList.toggle(row.status, row.n !== 0);
    }
  }

  function records(ids) {
    const own = main().dataset.record;
    if (own !== undefined) {
      if (!ids.includes(own)) return;
      if ("asked" in main().dataset) {
        fresh(location.pathname).then(() => { main().dataset.asked = ""; });
        return;
      }
      htmx.ajax("GET", location.pathname, { target: "#state", select: "#state", swap: "outerHTML" });
      moved.add(own);
    } else if (follows() === "records" || follows() === "counts") {
      for (const id of ids) moved.add(id);
    }
    tell();
  }

  function listen() {
    if (stream || document.hidden || !follows()) return;
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("hello", () => {
      if (greeted && follows() === "counts") fresh(location.href);
      greeted = true;
    });
    stream.addEventListener("counts", (event) => counts(JSON.parse(event.data)));
    stream.addEventListener("records", (event) => records(JSON.parse(event.data).ids));
  }

  // A browser keeps few connections to one address: pages nobody looks at hold none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) {
      stream.close();
      stream = null;
    } else {
      listen();
    }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    localTimes();
    progress();
    if (event.target.id === "main" || event.detail.target?.id === "main") {
      hush();
      const said = document.getElementById("flash");
      if (said) said.focus({ preventScroll: true });
    }
  });
  bar.querySelector("button").addEventListener("click", () => {
    fresh(location.href).then(() => main().focus({ preventScroll: true }));
  });
  localTimes();
  listen();
  progress();
})();
