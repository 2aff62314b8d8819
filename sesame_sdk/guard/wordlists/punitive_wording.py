"""What effects and bands say in spite of what is declared: burdens, prices, verdicts, places in an order.

Read where somebody called a burden a benefit or a review, a surcharge no price, or a ranking none. They
name what is done to a person, so "Deposit refused parcels at the shop" must be said in other words.
"""

#: More than a review: what is denied, held or made worse.
BURDENS = """
    declined; refused; refuses; rejected; denied; suspended; suspension; barred; blocked; blocking;
    locked out; lockout; excluded; exclusion; restricted; restriction; no more order*; no delivery;
    no service; shut out; turned away; not served; not accepted; not delivered; not allowed; is hidden;
    are hidden; muted; silenced; shadow; in advance only; held back; withheld; frozen; revoked; taken away;
    come last; comes last; answers last; answered last; served last; delivered last; goes last; wait longer;
    longer wait; downgraded; demoted; limited to; one order a month; fewer orders; punish*; penalty;
    penalties; treated with; under watch; orders are cancelled; order is cancelled; booking is cancelled;
    bookings are cancelled; service is withdrawn; access is withdrawn; listings are pulled;
    listing is pulled; may not sell; may not post; may not order; may not buy; may not book; can no longer;
    may no longer; out of the shop; one order a week; paid in advance only; slower delivery;
    slower deliveries; delivered slower; slower answer*; answered slower; no entry; service stop*;
    account on ice; access stop*; posts vanish; refunds stop; refund stop*; payments stop; payouts stop;
    locked account; account is locked; account locked; rights are taken; lose your; loses your;
    booking is dropped; timeout; time out for; silent treatment; back of the queue; end of the queue;
    behind everybody; behind everyone; bookings are dropped; orders are dropped; must pay in advance;
    you are put on hold; account is on hold; account on hold; access is ended
"""
BURDENS_CHINESE = """
    拒绝 拒絕 冻结 凍結 禁言 取消订单 取消訂單 停用 限制 暂停 暫停 不予 不得 禁止 屏蔽 封鎖 封锁 降级 降級
    减速 減速 处罚 處罰 惩罚 懲罰 排后 排後
    停止服务 停止服務 不能下单 不能下單 取消资格 取消資格 靠后 靠後 不能购买 不能購買 不能发帖 不能發帖
"""

#: The end of the service, whatever it is declared as.
BANS = """
    banned; ban; bans; expelled; expel; expulsion; kicked out; thrown out; account closed; account is closed;
    account will be closed; account closure; closing of the account; close your account; closes your account;
    closes the account; close the account; account deleted; account is deleted; terminat*; permanently;
    for good; for ever; forever; membership ends; membership is ended; end of membership; end of the service;
    removed from the site; removed from the shop; removed from the platform; removal from the site
"""
BANS_CHINESE = """
    封号 封號 封禁 清退 除名 开除 開除 踢出 拉黑 注销账户 註銷帳戶 销户 銷戶 终止服务 終止服務 关闭账户
    關閉帳戶 永久封
"""

SURCHARGES = """
    surcharge; dearer; higher price; higher rate; higher fee; higher deposit; double deposit;
    bigger deposit; larger deposit; extra deposit; extra charge; extra fee; extra cost; additional charge;
    additional fee; fee for; penalty fee; fine of; pays more; paid more; costs more; cost more;
    at your own cost; at own cost; price goes up; prices go up; raised price; price increase;
    percent on top; the other list; full price plus; a service fee; a handling fee; a handling charge;
    a booking fee; a late fee; will pay more; to pay more; must pay more; percent more;
    double price; twice the price; extra charge of
"""
SURCHARGES_CHINESE = """
    加价 加價 涨价 漲價 罚款 罰款 附加费 附加費 加收 额外收费 額外收費 更贵 更貴 双倍押金 雙倍押金 押金加倍
    价格上浮 價格上浮 收手续费 收手續費
    扣款 扣费 扣費
"""

#: What is said of a person where a score should be spoken of.
STIGMA = """
    untrustworth*; untrusted; distrust*; mistrust*; not trusted; unreliable; dishonest*; discredit*;
    suspicious; suspect; risky; high risk; danger*; bad person; bad people; bad customer; bad member;
    bad citizen; liar; cheat; cheater; cheats; fraudster; fraudulent; thief; thieves; scammer; deadbeat;
    loser; failure; scum; trash; outcast; outlaw; undesirable; unworthy; worthless; inferior; second class;
    third class; lowlife; low life; low quality people; problem customer; problem member; troublemaker;
    trouble maker; offender; deviant; antisocial; anti social; immoral; shameful; disgrace*; irresponsible;
    lazy; stupid; d class
"""
STIGMA_CHINESE = """
    不可信 失信 不诚信 不誠信 劣等 劣质 劣質 可疑 危险 危險 高风险 高風險 骗子 騙子 老赖 老賴 坏人 壞人 无赖
    無賴 下等 二等 低等 低素质 低素質 不良 刁民 败类 敗類 耻辱 恥辱
"""

MINORS = """
    minors; teen; teenage; teenager; pupil; schoolchild*; schoolgirl; school child; school children;
    underage*; under age; under eighteen; under sixteen; juvenile; adolescen*; high school student;
    twelve and older; thirteen and older; sixteen and older
"""
MINORS_CHINESE = """
    未成年 青少年 少年 小学生 小學生 中学生 中學生 高中生 初中生
"""

JOINING = """
    mandatory; compulsory; obligatory; required of every; required of each; required of all;
    required of everyone; must join; must take part; joining is a must; has to join; have to join;
    unless you say no; unless they say no; unless you opt; automatically in; in automatically;
    automatically enrol*; enrolled automatically; in by default; on by default; joined by default;
    needed to check out; needed to order; needed to buy; needed to log in; opt out benefit; pre ticked
"""
JOINING_CHINESE = """
    必须加入 必須加入 默认开通 默認開通 自动加入 自動加入 自动开通 自動開通 强制 強制 默认同意 默認同意
"""

PLACINGS = """
    first in search*; first in the search*; first in result*; first in the result*; first in list*;
    higher in search*; higher in the search*; higher in result*; higher in the result*; higher in list*;
    top of search*; top of the search*; top of result*; top of the result*; top of the list;
    higher up in; further up in; profile comes first; profiles come first; listing comes first;
    listings come first; offers come first; offer comes first; listed first; shown first; shown higher;
    listed higher; rank first; ranks first; ranked first; rank higher; ranks higher; ranked higher;
    better ranking; ranking boost; profile boost; boost* profile; boost* listing; search boost
"""
PLACINGS_CHINESE = """
    排名靠前 排序靠前 优先展示 優先展示 优先显示 優先顯示 置顶 置頂 搜索靠前 提升排名
"""

#: Conduct that is never grave.
TRIFLES = """
    late; lateness; overdue; sent back; returned; returns; cancel*; no show; missed; unused; forgot*;
    forgotten; slow repl*; slow answer*; impolite; rude; untidy; dirty; typo; short notice
"""
TRIFLES_CHINESE = """
    逾期 迟到 遲到 退货 退貨 退回 取消 爽约 爽約 未到场 未到場 晚到 忘记 忘記 超时 超時
"""

#: Phrases that contain a listed word and mean something else. A listed phrase that reaches beyond one counts.
INNOCENT = """
    never declined; not declined; never refused; never rejected; never blocked; no longer than; frozen food;
    frozen dessert; frozen goods; no surcharge; without surcharge; without a surcharge; no extra charge;
    no extra cost; without extra cost; no fee for; no penalty; no higher deposit; never returned;
    never sent back; not returned; no delivery charge; no delivery fee; no delivery cost;
    without a service fee; without a handling fee; instead of a service fee;
    no entry fee; no entry charge
"""
