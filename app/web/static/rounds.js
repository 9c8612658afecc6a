// Rounds: how many units a scope is about while it is being chosen, and
// ticking all boxes of a list at once. The pages work without it.

const form = document.querySelector("#round");
const count = document.querySelector("#scope-count");
if (form && count) {
  const names = ["under", "structure", "sector", "setting", "tag"];
  let timer, asked = 0;
  const ask = async () => {
    const query = new URLSearchParams({ lang: document.documentElement.lang });
    const data = new FormData(form);
    for (const name of names)
      for (const value of data.getAll(name))
        for (const one of value.split(/[\s,;]+/)) if (one) query.append(name, one);
    if (data.get("closes")) query.set("date", data.get("closes"));
    const mine = ++asked;
    try {
      const answer = await fetch("/api/v1/scope-count?" + query, { headers: { Accept: "application/json" } });
      if (answer.ok && mine === asked) count.textContent = (await answer.json()).text;
    } catch {
      // Without a network the last count stays; saving tells of mistakes.
    }
  };
  form.addEventListener("input", (event) => {
    if (!names.includes(event.target.name) && event.target.name !== "closes") return;
    clearTimeout(timer);
    timer = setTimeout(ask, 250);
  });
  form.querySelector("button[name=count]").hidden = true;
}

for (const list of document.querySelectorAll("[data-ticks]")) {
  const buttons = document.createElement("p");
  buttons.className = "buttons";
  list.dataset.ticks.split("|").forEach((label, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      for (const box of list.querySelectorAll("input[type=checkbox]")) box.checked = i === 0;
    });
    buttons.append(button);
  });
  list.before(buttons);
}
