"""Active users: how many people really use the bank's channels, by day and tier."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import column
from dashboards.definitions.panel import Board, Column, Drill, Panel, Text

_MANY_ZOMBIES: Final = ((None, "green"), (0.1, "amber"), (0.25, "red"))

_DAU_MEAN: Final = column("dau_mean", label=Text("Daily active, mean", "日活跃客户（日均）"), unit="count")
_WAU: Final = column("wau", label=Text("Weekly active (WAU)", "周活跃客户（WAU）"), unit="count")
_MAU: Final = column("mau", label=Text("Monthly active (MAU)", "月活跃客户（MAU）"), unit="count")
_GROSS: Final = column("mau_gross", label=Text("MAU with zombies", "月活（含僵尸户）"), unit="count")
_ZOMBIES: Final = column("zombies", label=Text("Zombies", "僵尸户"), unit="count")
_ZOMBIE_SHARE: Final = column(
    "zombie_share", label=Text("Share of zombies", "僵尸户占比"), unit="share", steps=_MANY_ZOMBIES
)
_STICKINESS: Final = column("stickiness_mean", label=Text("Stickiness, mean", "粘性（日均）"), unit="share")
_REACTIVATED: Final = column("reactivated", label=Text("Reactivated", "召回客户"), unit="count")


def _with_before(shown: Column) -> tuple[Column, Column]:
    """Return the column, and the same number of the period before."""
    before = Text(f"{shown.label.en}, before", f"{shown.label.zh}，上期")
    return shown, column(f"{shown.name}_before", "previous", label=before, unit=shown.unit)


_HEADLINE: Final = Panel(
    "users-headline",
    Text("Active users without zombies", "活跃客户（剔除僵尸户）"),
    Text(
        "Customers with an engaged login: not automated, and of at least five seconds or of unknown length. WAU and "
        "MAU count distinct customers over the 7 and 30 business days up to the day shown, the last one that is over. "
        "Zombies had logins in those 30 days, but no engaged one. Means run over the finished days of the period. The "
        "change is against as many days before, and left out where the data do not reach back so far.",
        "有效登录的客户：非自动登录，且会话不少于 5 秒或时长未知。WAU、MAU 为截至所示日期（最近一个已结束的营业日）7 "
        "个、30 个营业日内去重客户数。僵尸户在这 30 日内有登录但没有一次有效登录。均值按期内已结束的日子计算。变化与之"
        "前同样天数相比，数据不足以覆盖上期时不显示。",
    ),
    "figures",
    (
        column("day", label=Text("As of", "截至")),
        *_with_before(_DAU_MEAN),
        *_with_before(_WAU),
        *_with_before(_MAU),
        *_with_before(_GROSS),
        *_with_before(_ZOMBIES),
        *_with_before(_ZOMBIE_SHARE),
        *_with_before(_STICKINESS),
        *_with_before(_REACTIVATED),
        column("dau_so_far", label=Text("Today so far", "今日至今"), unit="count"),
    ),
    height=5,
)

_BY_DAY: Final = Panel(
    "users-by-day",
    Text("Active users by business day", "每日活跃客户"),
    Text(
        "Distinct customers engaged on the day, in the 7 and in the 30 business days up to it; and those with any "
        "login in the 30 days: the gap to MAU is zombies. The day that is not over has no daily number yet.",
        "当日、截至当日 7 个及 30 个营业日内的有效登录客户（去重），以及 30 日内有任意登录的客户，与 MAU 的差即僵尸户。"
        "尚未结束的当日暂不显示日活。",
    ),
    "time",
    (
        column("day", "time"),
        column("dau", label=Text("Daily (DAU)", "日活（DAU）"), unit="count"),
        column("wau", label=Text("Weekly (WAU)", "周活（WAU）"), unit="count"),
        column("mau", label=Text("Monthly (MAU)", "月活（MAU）"), unit="count"),
        _GROSS,
    ),
    width=16,
    height=9,
)

_SHARES: Final = Panel(
    "users-stickiness",
    Text("Stickiness and zombies", "粘性与僵尸户占比"),
    Text(
        "Stickiness is DAU ÷ MAU of the same business day: on how large a part of the days of a month the average "
        "active customer comes. Share of zombies is (MAU with zombies - MAU) ÷ MAU with zombies. Days that are over "
        "only.",
        "粘性 = 同一营业日的 DAU ÷ MAU，即平均活跃客户一个月中有多大比例的日子来访。僵尸户占比 =（含僵尸户月活 - MAU）"
        "÷ 含僵尸户月活。仅含已结束的日子。",
    ),
    "time",
    (
        column("day", "time"),
        column("stickiness", label=Text("Stickiness", "粘性"), unit="share"),
        column("zombie_share", label=_ZOMBIE_SHARE.label, unit="share"),
    ),
    width=8,
    height=9,
)

_BY_TIER: Final = Panel(
    "users-mau-by-tier",
    Text("Monthly active users by tier", "各层级月活跃客户"),
    Text(
        "MAU without zombies of each customer tier, as the customers' profiles name it now; a customer without a "
        "profile is `unknown`. A customer has one tier, so the lines add up to MAU.",
        "各客户层级（按客户档案当前所载）剔除僵尸户后的 MAU，没有档案的客户记为 unknown。每个客户只属一层，各线之和即"
        "为 MAU。",
    ),
    "time",
    (column("day", "time"), column("tier", "label"), _MAU),
    width=16,
)

_COMING_BACK: Final = Panel(
    "users-reactivated",
    Text("Reactivated customers", "召回客户"),
    Text(
        "Customers engaged on the day who had been engaged before, but not once in the 90 business days before it.",
        "当日有效登录、以前也曾有效登录，但之前 90 个营业日内一次也没有的客户。",
    ),
    "bars",
    (column("day", "x"), _REACTIVATED),
    width=8,
)

_TIERS: Final = Panel(
    "users-tiers",
    Text("Tiers", "客户层级"),
    Text(
        "The headline figures for each tier, the largest first; counted as there. Click a tier to see it alone.",
        "各层级的总览指标，口径同上，按月活从大到小。点击层级单独查看。",
    ),
    "table",
    (
        column("tier", "label"),
        _DAU_MEAN,
        _WAU,
        *_with_before(_MAU),
        _GROSS,
        _ZOMBIES,
        _ZOMBIE_SHARE,
        _STICKINESS,
        _REACTIVATED,
    ),
    drill=Drill("users", (("tier", "tier"),)),
)

USERS: Final = Board(
    "users",
    Text("Active users", "活跃客户"),
    Text(
        "For who answers for the channels: how many customers are really active, how many only look so, and who came "
        "back.",
        "供渠道负责人查看：真正活跃的客户有多少，其中多少只是表面活跃，谁又回来了。",
    ),
    ("run", "tier"),
    (_HEADLINE, _BY_DAY, _SHARES, _BY_TIER, _COMING_BACK, _TIERS),
)
