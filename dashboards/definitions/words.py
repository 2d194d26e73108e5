"""Words that columns of unit ``state`` hold: what people read instead of them, and the colour that goes with it.

One table for all boards, so that a state has one name and one colour wherever it stands. A word that is not here is
shown as it is, in grey. No meaning rests on a colour: the text says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dashboards.definitions.panel import Text


@dataclass(frozen=True, slots=True)
class Word:
    """A word's text, and its colour: ``red``, ``amber``, ``green``, ``grey`` or ``blue``."""

    text: Text
    colour: str = "grey"


ROWS: Final = (
    # standing of a campaign (campaigns-ranking): its alert and its ratio in one word
    ("act", "Act now", "立即处理", "red"),
    ("decide", "Decide", "待决策", "red"),
    ("below", "Below required", "低于要求", "amber"),
    ("reached", "Meets required", "达到要求", "green"),
    ("no_cost", "No cost yet", "尚无成本", "grey"),
    # states of alerts: schemas.alerts.STATES
    ("immature", "Too early", "为时过早", "grey"),
    ("watching", "Watching", "观察中", "blue"),
    ("pending", "Below, on hold", "低于要求·待确认", "amber"),
    ("firing", "Firing", "告警中", "red"),
    ("acknowledged", "Acknowledged", "已确认", "amber"),
    ("decided", "Decided", "已决策", "blue"),
    ("resolved", "Resolved", "已解除", "green"),
    ("blocked", "Data at fault", "数据异常", "grey"),
    # decisions, and what a model would do
    ("stop", "Stop", "停止", "red"),
    ("optimise", "Optimise", "优化", "amber"),
    ("continue", "Continue", "继续", "green"),
    # entries of an alert's history
    ("opened", "Opened", "开启", "blue"),
    ("judged", "Judged", "判定", "grey"),
    ("unblocked", "Data mended", "数据恢复", "green"),
    ("over", "Campaign over", "活动结束", "grey"),
    ("proposed", "Stop proposed", "提议停止", "amber"),
    ("approved", "Approved", "已批准", "blue"),
    ("note", "Note", "备注", "grey"),
    # silences
    ("active", "In force", "生效中", "blue"),
    ("ended", "Ended", "已结束", "grey"),
    # topics, and who decides about alerts
    ("reading", "Read", "读取中", "green"),
    ("halted", "Halted", "已停读", "red"),
    ("judging", "Judges", "评估中", "green"),
    # experiments: decisions, outcomes, and who is compared
    ("better", "Better", "更好", "green"),
    ("worse", "Worse", "更差", "red"),
    ("no_difference", "No difference", "无差异", "grey"),
    ("too_early", "Too early", "为时过早", "grey"),
    ("invalid", "Invalid", "无效", "red"),
    ("return", "Return", "收益", "blue"),
    ("aum", "AUM change", "资产变动", "blue"),
    ("logins", "Engaged days", "活跃天数", "blue"),
    ("control", "Control", "对照组", "grey"),
    ("treated", "Variant", "版本", "blue"),
    # what a rule would have done to a campaign
    ("fired_rightly", "Rightly", "正确", "green"),
    ("fired_wrongly", "Wrongly", "错误", "red"),
    ("fired_unsettled", "Fired, not settled", "已告警·未定局", "amber"),
    ("missed", "Missed", "漏报", "amber"),
    ("left_alone", "Left alone", "未告警", "grey"),
    ("unsettled", "Not settled", "未定局", "grey"),
    # classes of channels
    ("online", "Online", "线上", "blue"),
    ("counter", "Counter", "柜面", "grey"),
    # figures that a plan may be set for
    ("transactions", "Transactions", "交易笔数", "grey"),
    ("amount_minor", "Transaction amount", "交易金额", "grey"),
    ("online_transactions", "Online transactions", "线上交易笔数", "grey"),
    ("online_amount_minor", "Online amount", "线上交易金额", "grey"),
    ("online_share", "Online share", "线上笔数占比", "grey"),
    ("online_amount_share", "Online share of amount", "线上金额占比", "grey"),
    ("payments", "Payments", "支付转账笔数", "grey"),
    ("payments_amount_minor", "Payment amount", "支付转账金额", "grey"),
    ("cross_bank_share", "Cross-bank share", "跨行笔数占比", "grey"),
    ("cross_bank_amount_share", "Cross-bank share of amount", "跨行金额占比", "grey"),
    ("wealth_purchases", "Wealth purchases", "理财购买笔数", "grey"),
    ("wealth_amount_minor", "Wealth amount", "理财购买金额", "grey"),
    ("wealth_online_share", "Wealth bought online", "理财线上笔数占比", "grey"),
    ("wealth_online_amount_share", "Wealth amount bought online", "理财线上金额占比", "grey"),
    ("scenario_share", "Scenario share", "场景占比", "grey"),
    ("high_value_coverage", "High-value online coverage", "高价值客户线上覆盖率", "grey"),
    ("long_tail_activated", "Long tail activated", "长尾激活客户", "grey"),
    ("long_tail_activation_rate", "Long-tail activation", "长尾激活率", "grey"),
    ("new_customers", "New customers from campaigns", "活动新客户", "grey"),
    ("contributed_aum_minor", "AUM from campaigns", "活动资产贡献", "grey"),
    ("automated_reach_share", "Automated reach", "自动化触达占比", "grey"),
    # views of time (contract section 4)
    ("event_view", "Event view", "事件口径", "blue"),
    ("cohort_view", "Cohort view", "批次口径", "grey"),
    # parts of a campaign that advice may name
    ("channel", "Channel", "渠道", "grey"),
    ("variant", "Variant", "版本", "grey"),
    ("tier", "Tier", "客户层级", "grey"),
    # steps of a funnel: kinds of touches and what follows
    ("touched", "Reached", "触达", "blue"),
    ("send", "Sent", "发送", "blue"),
    ("view", "Viewed", "浏览", "blue"),
    ("click", "Clicked", "点击", "blue"),
    ("call", "Called", "外呼", "blue"),
    ("visit", "Visited", "到访", "blue"),
    ("voucher_issue", "Voucher issued", "发券", "blue"),
    ("voucher_redeem", "Voucher redeemed", "核销", "blue"),
    ("converted", "Converted", "转化", "green"),
    # categories of cost: cost events, and touches by kind
    ("media", "Media", "媒体投放", "grey"),
    ("incentive", "Incentives", "激励", "grey"),
    ("labour", "Labour", "人力", "grey"),
    ("platform", "Platform", "平台", "grey"),
    ("other", "Other", "其他", "grey"),
    ("touch_assign", "Touches: assigned", "触达：分组", "grey"),
    ("touch_send", "Touches: sent", "触达：发送", "grey"),
    ("touch_view", "Touches: viewed", "触达：浏览", "grey"),
    ("touch_click", "Touches: clicked", "触达：点击", "grey"),
    ("touch_call", "Touches: called", "触达：外呼", "grey"),
    ("touch_visit", "Touches: visited", "触达：到访", "grey"),
    ("touch_voucher_issue", "Vouchers issued", "发券", "grey"),
    ("touch_voucher_redeem", "Vouchers redeemed", "核销", "grey"),
    # attribution models
    ("last_touch", "Last touch", "末次触达", "grey"),
    ("first_touch", "First touch", "首次触达", "grey"),
    ("linear", "Linear", "线性均分", "grey"),
    ("position", "Position 40/20/40", "位置加权 40/20/40", "grey"),
    ("time_decay", "Time decay", "时间衰减", "grey"),
    ("deciding", "Decides", "决策模型", "blue"),
    ("informing", "Informs", "仅供参考", "grey"),
)
WORDS: Final = {word: Word(Text(english, chinese), colour) for word, english, chinese, colour in ROWS}
