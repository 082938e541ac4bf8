"use strict";
// The page's only script. What it shows of the recording it sets as text; it never makes HTML of a string.
// It stands in the head: threads that are not shown are then never laid out, which a large page would feel.
document.documentElement.classList.add("script");
document.addEventListener("DOMContentLoaded", () => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (tag, kind = "", text = "") => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text) element.textContent = text;
    return element;
  };
  const links = all("#list a");
  const find = byId("find");
  const most = 400_000; // characters that are coloured or set in order; longer ones are shown as they are
  root.classList.add("ready");

  // Raw exchanges, made when they are opened.
  const stores = new Map();
  const store = (thread) => {
    if (!stores.has(thread)) stores.set(thread, JSON.parse(byId(thread + "-data").textContent));
    return stores.get(thread);
  };
  const took = (us) => us < 1000 ? `${us} µs` : us < 1e6 ? `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms` : `${(us / 1e6).toFixed(2)} s`;

  // JSON set in lines, token by token: numbers, escapes and double keys stay as they were spelled.
  const tokens = /"(?:[^"\\]|\\[^])*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  const tidy = (text) => {
    const parts = [];
    const say = (part, kind = "") => parts.push([part, kind]);
    const found = text.match(tokens) ?? [];
    let depth = 0;
    const turn = () => say("\n" + "  ".repeat(Math.min(depth, 60)));
    found.forEach((token, index) => {
      const next = found[index + 1];
      if (token === "{" || token === "[") {
        say(token);
        if (next !== "}" && next !== "]") { depth += 1; turn(); }
      } else if (token === "}" || token === "]") {
        const before = found[index - 1];
        if (before !== "{" && before !== "[") { depth -= 1; turn(); }
        say(token);
      } else if (token === ",") { say(token); turn(); }
      else if (token === ":") say(": ");
      else say(token, token[0] !== '"' ? "k" : next === ":" ? "n" : "s");
    });
    return parts;
  };
  const isJson = (text) => {
    if (text.length > most || !/^\s*[{[]/.test(text)) return false;
    try { JSON.parse(text); return true; } catch { return false; }
  };
  const paint = (pre, text) => {
    pre.textContent = "";
    if (!isJson(text)) { pre.textContent = text; return; }
    for (const [part, kind] of tidy(text)) pre.append(kind ? make("span", kind, part) : part);
  };

  const table = (rows) => {
    const body = make("tbody");
    for (const [name, ...rest] of rows) {
      const row = make("tr");
      const head = make("th", "", name);
      head.scope = "row";
      row.append(head, ...rest.map((text) => make("td", "", text)));
      body.append(row);
    }
    const made = make("table");
    made.append(body);
    return made;
  };
  const folded = (name, inside, open = false) => {
    const details = make("details");
    details.open = open;
    details.append(make("summary", "", name), inside);
    return details;
  };
  const bodyOf = (call, which, seen = 0) => {
    const body = call[which];
    if (!body?.same || seen > 4) return body;
    const [name, part] = body.same.split(" ");
    const other = store("t" + name.split("-")[0])[name];
    return other ? { ...body, text: bodyOf(other, part === "request" ? "asked" : "answer", seen + 1)?.text, like: name } : body;
  };
  const showBody = (box, title, body) => {
    const head = make("h4", "", `${title}${body ? ` · ${body.size}` : ""}`);
    box.append(head);
    if (!body) { head.textContent = `${title} · empty`; return; }
    if (body.text === undefined) {
      box.append(make("p", "fine", body.binary ? "Not text, so not in this page." : "Not in this page: it is full. A page of one thread has room (--thread ID)."));
      return;
    }
    const pre = make("pre");
    pre.tabIndex = 0;
    pre.dir = "auto";
    paint(pre, body.text);
    box.append(pre);
    if (isJson(body.text)) {
      const button = make("button", "", "Raw");
      button.type = "button";
      button.addEventListener("click", () => {
        const raw = button.textContent === "Raw";
        button.textContent = raw ? "Pretty" : "Raw";
        if (raw) pre.textContent = body.text; else paint(pre, body.text);
        light();
      });
      head.append(button);
    }
    if (body.cut) box.append(make("p", "cut", `${body.cut} more are not in this page`));
  };
  const eventRow = ([at, kind, data]) => {
    if (typeof at !== "number") return make("p", "cut", at);
    const details = make("details", "event");
    const summary = make("summary");
    summary.append(make("span", "at", "+" + took(at)), make("span", "name", kind), make("span", "gist", data.slice(0, 200)));
    const pre = make("pre");
    details.append(summary, pre);
    details.addEventListener("toggle", () => { if (details.open && !pre.textContent) paint(pre, data); });
    return details;
  };
  const fill = (details) => {
    const name = details.dataset.call;
    if (!name || details.querySelector(":scope > .raw")) return;
    const call = store("t" + name.split("-")[0])[name];
    const box = make("div", "raw");
    if (!call) return;
    box.append(make("h4", "", `${call.method} ${call.request}`));
    const when = call.started ? new Date(call.started / 1000).toISOString().replace("T", " ").replace("Z", " UTC") + " · " : "";
    const answer = call.status === undefined ? "no answer" : `${call.status} ${call.reason} · head after ${took(call.head)}, whole after ${took(call.took)}`;
    box.append(make("p", "fine", when + answer + (call.end ? ` · ${call.end}` : "") + (call.cut ? " · the request did not arrive whole" : "")));
    box.append(folded(`Request headers (${call.sent.length})`, table(call.sent)));
    showBody(box, "Request body", bodyOf(call, "asked"));
    if (call.status !== undefined) {
      box.append(make("h4", "", ""), folded(`Response headers (${call.got.length})`, table(call.got)));
      if (call.events?.length) {
        box.append(make("h4", "", `Events (${call.events.length})`));
        const events = make("div", "events");
        events.append(...call.events.map(eventRow));
        box.append(events);
        const raw = make("div");
        showBody(raw, "Stream as it came", bodyOf(call, "answer"));
        box.append(folded("Raw stream", raw));
      } else showBody(box, "Response body", bodyOf(call, "answer"));
    }
    details.append(box);
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.open) { fill(event.target); if (find.value) light(); }
  }, true);

  // One thread at a time.
  let current = null;
  const select = (id) => {
    const section = byId(id);
    if (!section?.matches(".thread")) return;
    if (current !== section) {
      current?.classList.remove("current");
      section.classList.add("current");
      current = section;
      for (const link of links) {
        if (link.dataset.thread === id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      for (const pre of all("pre.json:not(.set)", section)) {
        pre.classList.add("set");
        if (!pre.querySelector(".cut")) paint(pre, pre.textContent);
      }
      scrollTo(0, 0);
      light();
    }
  };
  const go = (id) => {
    const target = byId(id);
    const section = target?.closest(".thread");
    if (!section) return;
    select(section.id);
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) { box.open = true; fill(box); }
    if (target !== section) { target.scrollIntoView({ block: target.closest(".calls") ? "nearest" : "center" }); (target.querySelector(":scope > summary") ?? target).focus({ preventScroll: true }); }
    try { history.replaceState(null, "", "#" + id); } catch { /* some viewers allow no history */ }
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#t"], a[href^="#c"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const id = link.getAttribute("href").slice(1);
    if (byId(id)?.closest(".thread")) { event.preventDefault(); go(id); }
  });
  addEventListener("hashchange", () => go(location.hash.slice(1)));

  // Search: conversation and raw exchanges, thread by thread, so that a large page stays alive.
  const talks = new Map();
  const talkOf = (id) => {
    if (!talks.has(id)) talks.set(id, byId(id).querySelector(".talk").textContent.toLowerCase());
    return talks.get(id);
  };
  const textOf = (value) => typeof value === "string" ? value : value && typeof value === "object" ? Object.values(value).map(textOf).join("\n") : String(value ?? "");
  const raws = new Map();
  const rawOf = (id) => {
    if (!raws.has(id)) raws.set(id, Object.entries(store(id)).map(([name, call]) => [name, textOf(call).toLowerCase()]));
    return raws.get(id);
  };
  const times = (text, wanted) => {
    let count = 0;
    for (let at = text.indexOf(wanted); at >= 0 && count < 999; at = text.indexOf(wanted, at + wanted.length)) count += 1;
    return count;
  };
  let only = "";
  let searches = 0;
  let matching = null;
  const list = () => {
    let shown = 0;
    for (const link of links) {
      const id = link.dataset.thread;
      const fits = (!only || (only === "wrong" ? link.querySelector(".wrong") : byId(id).querySelector(".tool"))) && (!matching || matching.has(id));
      link.parentElement.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    byId("none").hidden = shown > 0;
  };
  const search = async () => {
    const run = ++searches;
    const wanted = find.value.trim().toLowerCase();
    for (const call of all(".hit")) call.classList.remove("hit");
    for (const link of links) link.querySelector(".hits").textContent = "";
    byId("found").textContent = "";
    matching = wanted ? new Set() : null;
    if (wanted) {
      let breath = performance.now();
      for (const [index, link] of links.entries()) {
        const id = link.dataset.thread;
        const said = times(talkOf(id), wanted);
        const calls = rawOf(id).filter(([, text]) => text.includes(wanted));
        for (const [name] of calls) {
          const row = byId("c" + name);
          row?.classList.add("hit");
          row?.parentElement.closest(".repeats")?.classList.add("hit");
        }
        if (said || calls.length) {
          matching.add(id);
          const words = [said ? `${said} in the conversation` : "", calls.length ? `${calls.length} exchange${calls.length === 1 ? "" : "s"}` : ""];
          link.querySelector(".hits").textContent = words.filter(Boolean).join(", ");
        }
        if (performance.now() - breath > 40) {
          byId("found").textContent = `${Math.round((index + 1) * 100 / links.length)}%`;
          await new Promise((done) => setTimeout(done));
          if (run !== searches) return;
          breath = performance.now();
        }
      }
      byId("found").textContent = `${matching.size} of ${links.length}`;
      if (matching.size && !matching.has(current?.id)) select([...matching][0]);
    }
    list();
    light();
  };
  let wait = 0;
  find.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(search, 120); });

  let places = [];
  let place = -1;
  function light() {
    if (!globalThis.CSS?.highlights) return;
    CSS.highlights.clear();
    places = [];
    place = -1;
    const wanted = find.value.trim().toLowerCase();
    if (!wanted || !current) return;
    const walker = document.createTreeWalker(current, NodeFilter.SHOW_TEXT);
    while (walker.nextNode() && places.length < 5000) {
      const text = walker.currentNode.data.toLowerCase();
      if (text.length !== walker.currentNode.data.length) continue; // a letter that changes its length with its case
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
        const range = new Range();
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + wanted.length);
        places.push(range);
      }
    }
    CSS.highlights.set("found", new Highlight(...places));
  }
  const step = (way) => {
    const seen = places.filter((range) => range.getClientRects().length);
    const at = seen.indexOf(places[place]) + way;
    if (at < 0 || at >= seen.length) {
      const shown = links.filter((link) => !link.parentElement.hidden);
      const next = shown[shown.findIndex((link) => link.dataset.thread === current?.id) + way];
      if (next) { select(next.dataset.thread); if (way > 0) step(1); }
      return;
    }
    place = places.indexOf(seen[at]);
    CSS.highlights.set("here", new Highlight(places[place]));
    places[place].startContainer.parentElement.scrollIntoView({ block: "center" });
  };

  for (const button of all(".choose button")) {
    button.addEventListener("click", () => {
      only = button.dataset.only;
      for (const other of all(".choose button")) other.setAttribute("aria-pressed", String(other === button));
      list();
    });
  }

  // Folding, theme, help.
  let unfolded = false;
  const unfold = () => {
    unfolded = !unfolded;
    byId("unfold").setAttribute("aria-pressed", String(unfolded));
    byId("unfold").textContent = unfolded ? "Fold all" : "Unfold all";
    for (const details of all("details", current ?? document)) details.open = unfolded;
  };
  byId("unfold").addEventListener("click", unfold);
  const themes = ["auto", "light", "dark"];
  const theme = (name) => {
    if (name === "auto") delete root.dataset.theme; else root.dataset.theme = name;
    byId("theme").textContent = `Theme: ${name}`;
  };
  const nextTheme = () => {
    const name = themes[(themes.indexOf(root.dataset.theme ?? "auto") + 1) % themes.length];
    theme(name);
    try { localStorage.setItem("respool-theme", name); } catch { /* a page from a file may have no storage */ }
  };
  try { theme(themes.find((name) => name === localStorage.getItem("respool-theme")) ?? "auto"); } catch { theme("auto"); }
  byId("theme").addEventListener("click", nextTheme);
  byId("keys").addEventListener("click", () => byId("help").showModal());
  byId("close").addEventListener("click", () => byId("help").close());

  // Keys: the list, the conversation and the exchanges are three columns.
  const column = [
    () => links.filter((link) => !link.parentElement.hidden),
    () => current ? all(".talk > article", current) : [],
    () => current ? all(".calls summary", current).filter((row) => row.getClientRects().length) : [],
  ];
  const columnOf = (element) => element?.closest?.(".calls") ? 2 : element?.closest?.(".talk") ? 1 : 0;
  const focus = (element) => { element?.focus({ preventScroll: true }); element?.scrollIntoView({ block: "nearest" }); };
  const move = (way) => {
    const here = document.activeElement;
    const which = columnOf(here);
    const items = column[which]();
    const holder = items.findIndex((item) => item === here || item.contains(here));
    const at = holder >= 0 ? holder : which === 0 ? items.findIndex((link) => link.dataset.thread === current?.id) : -1;
    const next = items[Math.min(Math.max(at + way, 0), items.length - 1)];
    focus(next);
    if (which === 0 && next) select(next.dataset.thread);
  };
  const side = (way) => {
    const which = Math.min(Math.max(columnOf(document.activeElement) + way, 0), 2);
    const items = column[which]();
    focus(which === 0 ? items.find((link) => link.dataset.thread === current?.id) ?? items[0] : items[0]);
  };
  const keys = {
    j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
    h: () => side(-1), ArrowLeft: () => side(-1), l: () => side(1), ArrowRight: () => side(1),
    "/": () => { find.focus(); find.select(); }, n: () => step(1), N: () => step(-1),
    o: unfold, t: nextTheme, "?": () => byId("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (byId("help").open) {
      if (event.key === "?" || event.key === "Escape") { event.preventDefault(); byId("help").close(); }
      return;
    }
    if (event.target === find) {
      if (event.key === "Escape") { find.value = ""; search(); focus(links.find((link) => link.dataset.thread === current?.id)); }
      else if (event.key === "Enter") { event.preventDefault(); find.blur(); step(1); }
      return;
    }
    if (event.key === "Enter" && event.target.matches?.("article")) {
      const folds = all("details", event.target);
      const open = !folds.some((fold) => fold.open);
      for (const fold of folds) fold.open = open;
    } else if (event.key === "Escape") { if (find.value) { find.value = ""; search(); } }
    else if (event.target.matches?.("pre, .events") && event.key.startsWith("Arrow")) return;
    else if (Object.hasOwn(keys, event.key)) { event.preventDefault(); keys[event.key](); }
  });

  // Paper shows all that the conversations hold; raw bodies only where they were opened.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all(".talk details:not([open]), .problems:not([open])");
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });

  if (byId(location.hash.slice(1))?.closest(".thread")) go(location.hash.slice(1));
  else if (links[0]) select(links[0].dataset.thread);
});
