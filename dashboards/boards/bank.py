"""Bank figures: the assessment figures by month, quarter and year, against the period before and the plan."""

from __future__ import annotations

from typing import Final

from dashboards.definitions.columns import column
from dashboards.definitions.panel import Board, Column, Panel, Text, Unit

_PERIOD: Final = (
    column("period", "label", label=Text("Period", "期间"), unit="text"),
    column("elapsed_share", label=Text("Elapsed", "已过进度"), unit="share"),
)
_COMPARED: Final = Text(
    "The change is against the period before; of a period that is not over, numbers that still grow have none.",
    "变化与上一期相比，尚未结束的期间，仍在累计的数字不作比较。",
)


def _figure(name: str, english: str, chinese: str, unit: Unit) -> tuple[Column, Column]:
    """Return the column of a figure and of the same in the period before."""
    shown = column(name, label=Text(english, chinese), unit=unit)
    before = Text(f"{english}, before", f"{chinese}（上期）")
    return shown, column(f"{name}_before", "previous", label=before, unit=unit)


def _told(english: str, chinese: str) -> Text:
    return Text(f"{english} {_COMPARED.en}", f"{chinese}{_COMPARED.zh}")


_TRANSACTIONS: Final = _figure("transactions", "Transactions", "交易笔数", "count")
_AMOUNT: Final = _figure("amount_minor", "Amount", "交易金额", "minor")
_ONLINE: Final = _figure("online_share", "Online share", "线上笔数占比", "share")
_ONLINE_AMOUNT: Final = _figure("online_amount_share", "Online share of amount", "线上金额占比", "share")
_PAYMENTS_AMOUNT: Final = _figure("payments_amount_minor", "Payment amount", "支付转账金额", "minor")
_CROSS_BANK: Final = _figure("cross_bank_share", "Cross-bank share", "跨行笔数占比", "share")
_WEALTH: Final = _figure("wealth_amount_minor", "Wealth amount", "理财购买金额", "minor")
_WEALTH_ONLINE: Final = _figure("wealth_online_share", "Wealth bought online", "理财线上笔数占比", "share")

_HEADLINE: Final = Panel(
    "bank-headline",
    Text("The newest full month", "最近完整月份"),
    _told(
        "Whole bank, campaigns or not: transactions with what reversals have left of them. The newest month of the "
        "range that is over by the run's own events; where none is, the running one. Online: every channel that "
        "`channel_classes` does not call a counter. Payments: payments and transfers. A large ledger (some 100,000 "
        "customers) is counted once an hour, and the board says when.",
        "全行口径，不限活动：交易按冲正后余额计。显示范围内按本运行事件时间已结束的最近月份，没有则为当月。线上：渠"
        "道分类表（channel_classes）未列为柜面的全部渠道。支付转账：payment 与 transfer。数据量大时（约十万客户以上）"
        "每小时统计一次，并注明统计时间。",
    ),
    "figures",
    (
        *_PERIOD,
        *_TRANSACTIONS,
        *_AMOUNT,
        *_ONLINE,
        *_ONLINE_AMOUNT,
        *_PAYMENTS_AMOUNT,
        *_CROSS_BANK,
        *_WEALTH,
        *_WEALTH_ONLINE,
        column("counted_at", "counted"),
    ),
    height=5,
)

_ALL: Final = Panel(
    "bank-transactions",
    Text("Transactions", "交易"),
    _told(
        "Transactions of the period that reversals have left anything of, and what they left. Online share = online "
        "transactions / transactions, and the same of their amounts. Scenario share = transactions with a scenario / "
        "transactions. Elapsed: how much of the period is over, by whole business days.",
        "期内冲正后仍有余额的交易及其余额。线上占比 = 线上交易 / 全部交易，金额同理。场景占比 = 带场景的交易 / 全部"
        "交易。已过进度：按整营业日计，本期已过去的比例。",
    ),
    "table",
    (
        *_PERIOD,
        *_TRANSACTIONS,
        *_AMOUNT,
        *_ONLINE,
        *_ONLINE_AMOUNT,
        *_figure("scenario_share", "Scenario share", "场景占比", "share"),
        column("counted_at", "counted"),
    ),
    height=9,
)

_PAYMENTS: Final = Panel(
    "bank-payments",
    Text("Payments and wealth", "支付与理财"),
    _told(
        "Payments are transactions of kind payment or transfer; cross-bank share = those with cross_bank / payments. "
        "Wealth purchases are those of kind wealth_purchase; bought online = through online channels / all of them.",
        "支付转账为 payment、transfer 类交易，跨行占比 = 其中跨行 / 全部支付转账。理财购买为 wealth_purchase 类交易，"
        "线上占比 = 线上渠道购买 / 全部购买。",
    ),
    "table",
    (
        *_PERIOD,
        *_figure("payments", "Payments", "支付转账笔数", "count"),
        *_PAYMENTS_AMOUNT,
        *_CROSS_BANK,
        *_figure("cross_bank_amount_share", "Cross-bank share of amount", "跨行金额占比", "share"),
        *_figure("wealth_purchases", "Wealth purchases", "理财购买笔数", "count"),
        *_WEALTH,
        *_WEALTH_ONLINE,
        *_figure("wealth_online_amount_share", "Wealth amount bought online", "理财线上金额占比", "share"),
        column("counted_at", "counted"),
    ),
    height=9,
)

_CUSTOMERS: Final = Panel(
    "bank-customers",
    Text("High-value and long-tail customers", "高价值与长尾客户"),
    _told(
        "High-value customers are those whose profile names a tier of `value_tiers`; covered are those with an "
        "online transaction or an engaged login in the period; coverage = covered / high-value customers. Long tail: "
        "seen before the period, without an engaged day in the 90 days before it; activated are those engaged in it.",
        "高价值客户：档案层级列于 value_tiers 的客户，已覆盖：期内有线上交易或有效登录者，覆盖率 = 已覆盖 / 高价值客"
        "户。长尾客户：期初之前出现过、且之前 90 天无有效登录，已激活：其中期内有效登录者。",
    ),
    "table",
    (
        *_PERIOD,
        column("high_value_customers", label=Text("High-value customers", "高价值客户"), unit="count"),
        *_figure("high_value_covered", "Covered online", "线上已覆盖", "count"),
        *_figure("high_value_coverage", "Coverage", "线上覆盖率", "share"),
        *_figure("long_tail_customers", "Long tail", "长尾客户", "count"),
        *_figure("long_tail_activated", "Activated", "长尾激活", "count"),
        *_figure("long_tail_activation_rate", "Activation", "长尾激活率", "share"),
        column("counted_at", "counted"),
    ),
    height=9,
)

_CHANNELS: Final = Panel(
    "bank-channels",
    Text("Channels in the newest month", "最近月份渠道构成"),
    Text(
        "Transactions of the newest month in the range by channel, and each channel's share of all of them and of "
        "their effective amount. The shares add up to 100 %.",
        "范围内最近月份各渠道的交易，及其占全部笔数与余额的比例，各项合计为 100%。",
    ),
    "table",
    (
        column("period", "label", label=Text("Month", "月份"), unit="text"),
        column("channel", "label"),
        column("channel_class", label=Text("Class", "分类"), unit="state"),
        column("transactions", label=Text("Transactions", "交易笔数"), unit="count"),
        column("transaction_share", label=Text("Share", "笔数占比"), unit="share"),
        column("amount_minor", label=Text("Amount", "交易金额"), unit="minor"),
        column("amount_share", label=Text("Share of amount", "金额占比"), unit="share"),
        column("counted_at", "counted"),
    ),
    width=12,
)

_TIERS: Final = Panel(
    "bank-aum-tiers",
    Text("AUM from campaigns by tier, newest month", "最近月份各层级资产贡献"),
    Text(
        "AUM change credited to campaigns' touches in the newest month of the range, by the customers' tier, and the "
        "customers behind it. Negative where more left than came.",
        "范围内最近月份归因于活动触达的资产变动，按客户层级，及其涉及的客户数。流出多于流入时为负。",
    ),
    "table",
    (
        column("period", "label", label=Text("Month", "月份"), unit="text"),
        column("tier", "label"),
        column("aum_minor"),
        column("converters"),
        column("counted_at", "counted"),
    ),
    width=12,
)

_AUM: Final = Panel(
    "bank-aum",
    Text("AUM from campaigns and what it costs", "活动带来的资产及成本"),
    _told(
        "AUM change credited to all campaigns' touches, by the time of the transaction; cost of touches and cost "
        "events by their own time. Cost per 10,000 of AUM = cost / AUM * 10,000, and the same for touches through "
        "online channels and counters alone; not told unless AUM came in.",
        "归因于全部活动触达的资产变动（按交易时间），成本为触达与成本事件（按各自时间）。万元资产成本 = 成本 / 资产 "
        "× 10，000，线上与柜面触达分别计算，资产未净流入时不显示。",
    ),
    "table",
    (
        *_PERIOD,
        *_figure("aum_minor", "AUM", "资产变动", "minor"),
        *_figure("cost_minor", "Cost", "成本", "minor"),
        *_figure("cost_per_10k_aum_minor", "Cost per 10,000", "万元资产成本", "minor"),
        *_figure("online_cost_per_10k_aum_minor", "Online, per 10,000", "线上万元成本", "minor"),
        *_figure("counter_cost_per_10k_aum_minor", "Counter, per 10,000", "柜面万元成本", "minor"),
        column("counted_at", "counted"),
    ),
    height=9,
)

_NEW: Final = Panel(
    "bank-new-customers",
    Text("New customers from campaigns", "活动获客"),
    _told(
        "Customers with credit from an account opening, dated to the first of them; each counts once for the whole "
        "bank. CAC = cost of all campaigns in the period / new customers.",
        "因开户获得归因的客户，记在其首次开户时，全行去重。获客成本 = 期内全部活动成本 / 新客户数。",
    ),
    "table",
    (
        *_PERIOD,
        *_figure("new_customers", "New customers", "新客户", "count"),
        *_figure("cost_minor", "Cost", "成本", "minor"),
        *_figure("cac_minor", "CAC", "获客成本", "minor"),
        column("counted_at", "counted"),
    ),
    width=10,
)

_TOUCHES: Final = Panel(
    "bank-touches",
    Text("Automated and recommended touches", "自动化与推荐触达"),
    _told(
        "Reached: customers with a creditable touch in the period; automated reach = those whose touches were all "
        "automated / reached. Click-through is by customers: those with a send and a click / those with a send, for "
        "touches that a model has chosen and for the others.",
        "触达客户：期内有可归因触达的客户，自动化触达占比 = 触达全部为自动化者 / 触达客户。点击率按客户计：有发送且"
        "有点击者 / 有发送者，模型推荐的触达与其余触达分别计算。",
    ),
    "table",
    (
        *_PERIOD,
        *_figure("reached", "Reached", "触达客户", "count"),
        *_figure("automated_only", "By machines only", "仅自动化", "count"),
        *_figure("automated_reach_share", "Automated reach", "自动化触达占比", "share"),
        *_figure("recommended_sends", "Sends, recommended", "推荐发送", "count"),
        *_figure("recommended_click_rate", "Click-through, recommended", "推荐点击率", "share"),
        *_figure("other_sends", "Sends, others", "其他发送", "count"),
        *_figure("other_click_rate", "Click-through, others", "其他点击率", "share"),
        column("counted_at", "counted"),
    ),
    width=14,
)

_PLANS: Final = Panel(
    "bank-plans",
    Text("Plan and actual", "计划与实际"),
    Text(
        "Figures for which a plan is set (table `figure_plans`), of the periods in the range. Attained = actual / "
        "plan. Pace = attained / how much of the period is over, of amounts and numbers: 1 means the plan is met if "
        "it goes on like this. Without a plan there is nothing here.",
        "已设计划（figure_plans 表）的指标在范围内各期间的情况。完成率 = 实际 / 计划。节奏 = 完成率 / 已过进度（金额"
        "与数量），为 1 表示照此下去恰好完成。未设计划则为空。",
    ),
    "table",
    (
        _PERIOD[0],
        column("figure", "label", label=Text("Figure", "指标"), unit="state"),
        _PERIOD[1],
        column("amount_minor", label=Text("Amount", "金额"), unit="minor"),
        column("amount_target_minor", "limit", label=Text("Plan", "计划"), unit="minor"),
        column("number", label=Text("Number", "数量"), unit="count"),
        column("number_target", "limit", label=Text("Plan", "计划"), unit="count"),
        column("share", label=Text("Share", "占比"), unit="share"),
        column("share_target", "limit", label=Text("Plan", "计划"), unit="share"),
        column("attained_share", label=Text("Attained", "完成率"), unit="share"),
        column("pace", label=Text("Pace", "节奏"), unit="ratio", steps=((None, "red"), (0.9, "amber"), (1.0, "green"))),
        column("counted_at", "counted"),
    ),
    height=6,
    empty=Text("No plan is set for a period in the range.", "区间内各期间均未设计划。"),
)

BANK: Final = Board(
    "bank",
    Text("Bank figures", "银行指标"),
    Text(
        "For the assessment: what all the bank's transactions, customers and campaigns came to by month, quarter and "
        "year.",
        "供考核使用：全行交易、客户与活动按月、季、年的结果。",
    ),
    ("run",),
    (_HEADLINE, _PLANS, _ALL, _PAYMENTS, _CUSTOMERS, _CHANNELS, _TIERS, _AUM, _NEW, _TOUCHES),
    latest="365d",
)
