# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A receipt as a page for people: one file, no scripts, nothing from the network."""

from __future__ import annotations

import typing as t

import jinja2

TEMPLATE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Receipt of {{ fleet }}, {{ made }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2330; background: #f6f7f9; margin: 0;
  padding: 2rem 1rem; }
main { max-width: 72rem; margin: auto; background: #fff; padding: 2rem;
  border-radius: 10px; box-shadow: 0 1px 4px #0002; }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; } p { margin: .3rem 0; }
.total { font-size: 2.4rem; font-weight: 700; margin: 1rem 0 0; } .muted { color: #667085; }
.ok { color: #05703f; font-weight: 600; } .bad { color: #b42318; font-weight: 600; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #e4e7ec;
  white-space: nowrap; }
th { font-weight: 600; color: #667085; } td.n, th.n { text-align: right; } code { font-size: .85em; color: #667085; }
</style>
</head>
<body><main>
<h1>Receipt of fleet {{ fleet }}</h1>
<p class="muted">{{ made }}</p>
<p class="total">${{ "%.2f" | format(total.dollars) }}</p>
<p class="muted">at most, for {{ total.minutes }} instance-minutes of {{ total.instances }} instances.
Counted from each launch to the moment at which it was seen to end, a begun minute whole, before taxes;
Lambda's invoice decides.</p>
{% if complete %}<p class="ok">Nothing of this fleet is paid for any more.</p>
{% else %}<p class="bad">Something of this fleet is still paid for.</p>{% endif %}
{% if unread_lines %}<p class="bad">
{{ unread_lines }} lines of the ledger could not be read: what only they told of is not counted.</p>{% endif %}
<h2>Instances</h2>
<div class="scroll"><table>
<tr><th>node</th><th>from</th><th>to</th><th class="n">minutes</th><th class="n">$/h</th>
<th class="n">$</th><th>type</th><th>id</th></tr>
{% for row in nodes %}<tr><td>{{ row.node }}</td><td>{{ row["from"] }}</td>
<td>{{ row.to or "still running" }}</td><td class="n">{{ row.minutes }}</td>
<td class="n">{{ "%.2f" | format(row.price_per_hour) }}</td><td class="n">{{ "%.2f" | format(row.dollars) }}</td>
<td>{{ row.instance_type }}</td>
<td><code>{{ row.id }}</code></td></tr>
{% endfor %}</table></div>
{% if still_ours %}<h2 class="bad">Still paid for</h2>
<ul>{% for item in still_ours %}<li>{{ item.name }} <code>{{ item.id }}</code>, {{ item.status }},
${{ "%.2f" | format(item.price_per_hour) }}/h</li>{% endfor %}</ul>{% endif %}
<h2>What else the account has</h2>
<ul>
{% for item in not_ours %}<li>{{ item.name }} <code>{{ item.id }}</code>,
{{ "fleet " ~ item.fleet if item.fleet else "not ours" }}, {{ item.status }},
${{ "%.2f" | format(item.price_per_hour) }}/h</li>{% else %}<li>No other instance.</li>{% endfor %}
{% for item in filesystems %}<li>Filesystem {{ item.name }} in {{ item.region }}:
{{ "an unknown sum" if item.dollars_per_month is none else "about $%.2f" | format(item.dollars_per_month) }}
a month (by the API's figure, which is hours old), attached or not.</li>
{% else %}<li>No filesystem.</li>{% endfor %}
<li>Free of charge: {{ ssh_keys | length }} ssh keys, {{ firewall_rules }} firewall rules for all instances,
{{ firewall_rulesets | length }} firewall rulesets.</li>
</ul>
</main></body>
</html>
"""


def render(receipt: dict[str, t.Any]) -> str:
    """The page of a receipt; names that come from the account are escaped."""
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(TEMPLATE).render(receipt)
