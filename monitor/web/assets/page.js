// What a page can do in the browser and could not do without: everything here is an extra on pages that work as they are.
"use strict";

const TIES = { firm: "deal", rumour: "rumour", ended: "ended" };

// The picture as known on a day: each tie carries from which day on it was how.
function graph() {
  const slider = document.getElementById("until");
  if (!slider) return;
  const shown = document.getElementById("until-day");
  const ties = [...document.querySelectorAll("[data-life]")].map((place) => ({
    place,
    life: place.dataset.life.split(" ").map((part) => part.split(":")).map(([day, state]) => [Number(day), state]),
  }));
  const spell = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const draw = () => {
    const day = Number(slider.value);
    const text = spell.format(new Date(day * 86400000));
    shown.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    for (const { place, life } of ties) {
      const past = life.filter(([since]) => since <= day);
      const state = past.length ? past[past.length - 1][1] : "";
      if (place.tagName === "TR") {
        place.hidden = !state;
        place.querySelector(".tie-state").textContent = TIES[state] || "not known yet";
      } else {
        place.setAttribute("class", `tie is-${state || "unknown"}`);
      }
    }
  };
  slider.addEventListener("input", draw);
  draw();
}

// The list in a folder has all deals; on the server they come filtered.
function list() {
  const rows = [...document.querySelectorAll(".deals tr[data-words]")];
  const form = document.querySelector("form.filters");
  if (!rows.length || !form) return;
  const total = document.getElementById("total");
  const written = Number(document.querySelector("footer time").dateTime ? Date.parse(document.querySelector("footer time").dateTime) : Date.now());
  const SHOWN = 200;
  const filter = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const company = wanted.company.trim().toLowerCase();
    const since = wanted.since ? written - parseInt(wanted.since, 10) * 86400000 : 0;
    let found = 0;
    for (const row of rows) {
      const data = row.dataset;
      const fits =
        (!wanted.type || data.type === wanted.type) &&
        (!wanted.status || data.status === wanted.status) &&
        (!wanted.evidence || data.evidence === wanted.evidence) &&
        (!company || data.parties.split("\n").includes(company)) &&
        (!since || Number(data.at) * 1000 >= since) &&
        words.every((word) => data.words.includes(word));
      found += fits;
      row.hidden = !fits || found > SHOWN;
    }
    total.textContent = `${found} deal${found === 1 ? "" : "s"}` + (found > SHOWN ? `, the newest ${SHOWN} shown` : "");
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  filter();
}

// "/" goes to the search field, as desks are used to.
function keys() {
  const field = document.getElementById("q");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && field && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
    }
  });
}

// On a narrow screen the menu is wider than the page: show the part that says where one is.
function menu() {
  const bar = document.querySelector(".top ul");
  const here = bar && bar.querySelector("[aria-current]");
  if (here) bar.scrollLeft = here.offsetLeft - bar.offsetLeft - 40;
}

// On a narrow screen all filters but the search wait behind a button, unless one is in use.
function fold() {
  const form = document.querySelector("form.filters");
  const button = form && form.querySelector(".fold button");
  if (!button) return;
  const used = [...form.querySelectorAll(".more input, .more select")].some((field) => field.value);
  const show = (open) => {
    form.classList.toggle("folded", !open);
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Fewer filters" : "More filters";
  };
  button.parentElement.hidden = false;
  button.addEventListener("click", () => show(form.classList.contains("folded")));
  show(used);
}

menu();
fold();
graph();
list();
keys();
