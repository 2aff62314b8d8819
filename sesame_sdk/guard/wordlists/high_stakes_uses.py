"""What a score must not decide on, and who must not get it: words of effects, aims and consumers' names.

As a reward as well as a penalty (GL 169). Not meant for kinds: a shop may well say that a person paid
for school books.
"""

WORK = """
    hire; hired; hiring; rehire; rehiring; job; jobseek*; jobhunt*; jobless*; job applic*; job candidate;
    job interview; job offer; employ*; unemploy*; recruit*; fired; firing; dismissal; laid off; lay off;
    layoff; redundanc*; made redundant; sacked; salary; salaries; wage; payroll; payslip; pay rise;
    pay raise; pay cut; pay grade; overtime; cv; curriculum vitae; resume screen*; resume check*;
    resume filter*; resume rank*; your resume; applicant; candidate for a; candidate screening; interview;
    interviewing; probation*; appraisal; performance review; performance at work; work performance;
    job performance; work shift; shift plan*; shift assignment; promotion at work; promoted at work;
    job promotion; staff promotion; promotion to manager; career; vacancy; vacancies; headhunt*;
    human resource; personnel; workforce; workplace; worker; staffing; apprentice*; internship; intern;
    traineeship; labour market; labor market; gig work; work permit; background check; contractor;
    freelanc*; bonus at work; disciplinary; judg* staff; judging of staff; staff rating; rating of staff;
    staff review; promotion of staff; promotion for staff; promotions for staff; sacking; team leader;
    line manager; your boss;
    position offered; positions offered; open position; considered for role; first for roles; more gigs;
    delivery round; your manager; told to manager; manager is told; more hours; roster; rota;
    recommended to compan*; recommended to firm*; to our hr; hr department; talent*; trial day;
    tasks handed; extra pay; contract renew*; renewal of contract; let go; put forward to; selected as a;
    considered first for;
    shifts at the; shift at the; at the plant; better shift
"""
WORK_CHINESE = """
    招聘 招工 求职 求職 求才 应聘 應聘 聘用 录用 錄用 雇用 雇佣 僱用 僱傭 雇主 僱主 雇员 僱員 解雇 解僱 解聘
    开除 開除 辞退 辭退 裁员 裁員 升职 升職 晋升 晉升 升迁 升遷 加薪 减薪 減薪 降薪 工资 工資 薪水 薪资 薪資
    薪酬 简历 簡歷 履历 履歷 面试 面試 就业 就業 失业 失業 职位 職位 职场 職場 绩效 績效 入职 入職 离职 離職
    试用期 試用期 岗位 崗位 考勤
    派单 派單 推荐给企业 推薦給企業 人才 录取 錄取 续签 續簽 排班 兼职 兼職 推荐工作 推薦工作 工作机会
    工作機會 上岗 上崗 岗前 崗前
    工作推荐 工作推薦 找工作
"""

PUBLIC_SERVICES = """
    public service; public office; public authorit*; public sector; public fund; civil service;
    civil servant; government*; ministry; ministries; municipal*; council; town hall; city hall; welfare;
    social security; social benefit; social services; social worker; state benefit; public benefit;
    housing benefit; unemployment benefit; child benefit; disability benefit; benefits office;
    benefits agency; benefit eligib*; benefit claim*; benefit applic*; benefit fraud; eligible for benefit;
    food stamp; food bank; pension*; subsidy; subsidies; subsidis*; subsidiz*; state aid; police*; policing;
    law enforcement; constabulary; court; courtroom; judicial*; judiciary; magistrate; prosecut*; prison*;
    jail; parole*; sentencing; criminal*; crime; justice; wanted list; watch list; watchlist; no fly;
    terror*; surveillance; intelligence service; secret service; security service; conscript*; military;
    visa; immigra*; migrant; migration; emigra*; asylum; refugee; deport*; residence permit;
    residency permit; right of residence; citizenship; naturalis*; naturaliz*; passport; border control;
    border check; border crossing; customs check; vote; voting; voter*; ballot; election*; electoral*;
    suffrage; polling station; licence; license; licensing; permit; tax office; tax audit; tax relief;
    tax return; tax authorit*; tax refund; child custody; adoption agency; adoption agencies; social credit;
    civic credit; citizen score; citizen rating; public housing; tax break; tax rate; customs officer;
    customs clearance; judge s decision;
    citizen; citizens; civic; municipality; municipalities; the border; frontier; at customs; the customs;
    customs queue; family allowance; allowances paid; benefit paid; benefits paid; family support; officers;
    sheriff; inspector; permission to leave; leave the country; town meeting; grants from the town;
    from the town; leave to remain; id card; identity card; identity papers; papers for resident*;
    papers checked; marriage registr*; less tax; lower tax; tax cut; bail; released early; stopped less
"""
PUBLIC_SERVICES_CHINESE = """
    社保 社会保障 社會保障 社会福利 社會福利 福利金 低保 救济 救濟 政府 政务 政務 公共服务 公共服務 公务员
    公務員 公职 公職 警察 警方 公安 派出所 法院 法官 法庭 检察 檢察 司法 监狱 監獄 刑事 犯罪 失信 签证 簽證
    护照 護照 移民 难民 難民 居留 户籍 戶籍 户口 戶口 落户 落戶 出入境 出境 入境 边检 邊檢 投票 选举 選舉
    选民 選民 执照 執照 驾照 駕照 牌照 许可证 許可證 退休金 养老金 養老金 失业金 失業金 税务 稅務 兵役
    社会信用 社會信用 公民评分 公民評分
    办证 辦證 办事大厅 業務大廳 业务大厅 辦事大廳 减税 減稅 先进个人 先進個人 行政审批 行政審批 证件 證件
    领取补贴 領取補貼 政府补贴 政府補貼 市民 居民积分 居民積分 保释 保釋 入党 入黨 见义勇为 見義勇為
"""

ESSENTIALS = """
    internet; broadband; bandwidth; wifi; wi fi; connection speed; network speed; download speed;
    upload speed; data speed; data allowance; mobile data; throttl*; connectivity; slow connection;
    slower connection; faster connection; sim card; phone contract; phone line; housing; social housing;
    council house; buy a house; buy a home; apartment; accommodation; tenan*; landlord; landlady; rent;
    renting; renter; lease; leasehold*; lodging; homeless*; eviction; evict*; home rental; rental home;
    flat viewing; flat to let; rental flat; flat rental; rental contract; utility; utilities; electricity;
    power cut; power supply; gas supply; gas bill; gas meter; water supply; water bill; tap water; heating;
    energy supply; energy bill; energy tariff; health; healthcare; medical*; medicine; hospital*; clinic;
    doctor; dentist; ambulance; surgery; surgeries; vaccin*; pharmac*; nursing home; school*; kindergarten;
    nursery place; university; universities; college; tuition; education*; scholarship; enrolment;
    enrollment; admission to; childcare; child care; day care; train ticket; trains; by train; train travel;
    train journey; train fare; high speed train; plane ticket; air ticket; air travel; by plane; flight;
    airline; airfare; airport; railway; railroad; rail travel; rail pass; rail ticket; bus pass; bus ticket;
    bus fare; bus travel; by bus; buses; tram; metro; subway; ferry; ferries; taxi; ride hailing;
    transport*; transit pass; travel ban; travel ticket; boarding pass; priority boarding; food aid;
    the train; a train; train seat; high speed rail; flat hunt*; electric power; water is cut; dorm room;
    dormitory; dormitories; nurse; slow your download*; slower download*; faster download*; broadband speed;
    flats; viewing of flat*; homes; a home; next home; first home; new home; move in; faster lane online;
    lane online; faster online; more data; data each month; data plan; data volume; gp;
    specialist appointment; appointment with a specialist; coach ticket; coach seat; seat on the coach;
    seats on coach*; the coach; quicker connection; connection at home; full speed; mobile network;
    hall of residence; halls of residence; cheaper power; power at home; power stay*; power stays on;
    radiator; the tap; tap stays; motorway; driving lesson; prescription*; bus ride; free bus; cab;
    phone plan; sim; bed for the night; bullet train; operations sooner; operation sooner;
    place on the course; to the train; places at the nursery; place at the nursery;
    night train; on the train; cheaper gas; gas tariff; tenancy; apartment block
"""
ESSENTIALS_CHINESE = """
    网速 網速 宽带 寬帶 寬頻 带宽 帶寬 頻寬 上网 上網 互联网 互聯網 断网 斷網 限速 住房 房屋 公租房 廉租
    房租 租房 租屋 租金 房东 房東 租客 水电 水電 供电 供電 供水 停电 停電 停水 电费 電費 水费 水費 燃气 燃氣
    煤气 煤氣 暖气 暖氣 供暖 医疗 醫療 医院 醫院 医保 醫保 看病 挂号 掛號 就医 就醫 学校 學校 入学 入學 升学
    升學 大学 大學 教育 托儿 托兒 火车 火車 高铁 高鐵 动车 動車 铁路 鐵路 机票 機票 飞机 飛機 航班 地铁 地鐵
    公交 公車 交通 乘车 乘車
    看房 选房 選房 就诊 就診 叫号 叫號 通关 通關 流量加速 流量包 网络加速 網絡加速 網路加速 路由加速 摇号
    搖號 学位 學位 幼儿园 幼兒園 宿舍 租住 手术 手術 电信 電信 医美 醫美 车票 車票
    学区 學區 公寓
"""

MONEY = """
    credit*; credit check*; credit card applic*; credit card approv*; credit card limit; credit card offer;
    credit limit; credit line; credit scor*; credit rating; credit report*; credit decision; credit approv*;
    credit history; credit union applic*; line of credit; on credit; microcredit; loan*; lend; lender;
    lending; borrow*; borrower*; mortgage*; remortgag*; refinanc*; insur*; insurance premium; reinsur*;
    underwrit*; actuar*; premium; overdraft; interest rate; payday; instalment; installment; pay later;
    bnpl; financing; financed; debt*; indebted*; debtor; solven*; insolven*; bankrupt*; bailiff; collateral;
    guarantor; bank account; open an account with a bank; annuity; annuities; microfinanc*; moneylend*;
    cash advance; the bank; a bank; banks; bank decid*; bank rate;
    month end; settle the bill; settle next; spending ceiling; spending limit; bigger tab; a tab;
    money up front; cash up front; cheaper cover; cover without; finance; hire purchase; spread the cost;
    split the cost; pay next month; settle next month; deferred payment; defer; deferral; defer payment;
    payment holiday; lower apr; advance on; buy now; payment plan; larger allowance; trusted payer;
    rates as for; cash before; car leasing; leasing
"""
MONEY_CHINESE = """
    贷款 貸款 借贷 借貸 借款 信贷 信貸 授信 征信 徵信 信用额度 信用額度 信用卡额度 信用卡額度 信用评级
    信用評級 网贷 網貸 房贷 房貸 车贷 車貸 按揭 抵押 保险 保險 保费 保費 投保 理赔 理賠 承保 利率 利息 分期
    先享后付 先享後付 透支 花呗 花唄 融资 融資 债务 債務 破产 破產
    月付 先用后付 先用後付 提额 提額 额度 額度 白条 白條 借呗 借唄 延期付款 免息 车险 車險 消费金 消費金
    垫付 墊付 赊账 賒賬 账期 賬期 下月付款
"""

RESALE = """
    sell; sells; selling; sold; resell*; resale; resold; reselling; sale of data; sale of your data;
    sale of score; sale of profile; sale of information; data sale; data market*; data exchange;
    data broker*; broker*; reshar*; re share; share with partner*; share with third; share with other*;
    share it with; share them with; shared with; shares with; sharing with; share scores; share your score;
    share data; share your data; sharing data; sharing scores; share profiles; third part*; onward*;
    pass on; passes on; passed on; passing on; hand on; handed on; forward to; forwarded to; forwards to;
    transfer to; transferred to; disclose to; disclosed to; disclosure to; sublicens*; syndicat*; monetis*;
    monetiz*; advertiser; ad network; advertising network; affiliates; export to partner; licensed to;
    trade your*; trade score*; trade the score*; trading score*; given to partner*; give to partner*;
    partners receive; partners get; licensing the score*; licensing score*; license the score*;
    licence the score*; license score*; offered to partner*;
    partners learn; partners see; partner sees; partner companies; travels with you; other shops see;
    other shops may see; to other shops; sister compan*; group compan*; exported weekly; exported to;
    other companies; selected compan*; to agencies; to agency; data product; marketers; marketer; data feed;
    passed along; made available to; supplied to; gift to researcher*; friends of ours;
    sees your band elsewhere
"""
RESALE_CHINESE = """
    贩卖 販賣 转卖 轉賣 转售 轉售 倒卖 倒賣 卖给 賣給 出售给 出售給 出售数据 出售數據 出售分数 出售分數
    出售信息 出售資訊 出售用户 出售用戶 出售个人 出售個人 出售名单 出售名單 数据交易 數據交易 数据买卖
    數據買賣 数据中介 數據中介 第三方 第三者 共享给 共享給 分享给 分享給 转让给 轉讓給 转发给 轉發給 经纪
    經紀 变现 變現 广告商 廣告商
    合作伙伴 合作夥伴 合作方 同步至 互通 推送给商家 推送給商家 数据服务 數據服務 交换数据 交換數據 集团共享
    集團共享 其他平台
"""

PUBLICITY = """
    leaderboard; leader board; leader list; scoreboard; score board; public rank*; public list;
    public profile; public score; public page; public record; public badge; public display; public shaming;
    publicly; public announce*; public register; publicis*; publiciz*; ranked list; ranking list;
    ranking of people; ranking of members; ranking of customers; ranking of users; league table; top ten;
    top hundred; top list; top members; best members; worst members; member of the month;
    customer of the month; hall of fame; hall of shame; wall of fame; wall of shame; pillory;
    name and shame; named and shamed; naming and shaming; shame*; shaming; ridicul*; publish*; publication;
    billboard; open list; open to all; open to everyone; open to anyone; visible to all;
    visible to everyone; visible to anyone; visible to the public; shown to all; shown to everyone;
    shown to anyone; shown to the public; seen by all; seen by everyone; seen by anyone; everyone can see;
    anyone can see; everybody can see; made public; make public; go public; in public; notice board;
    noticeboard; blacklist*; black list; red list; honour roll; honor roll; roll of honour; roll of honor;
    broadcast*; press release; newspaper; front page; exposed to; public; ranking of everyone;
    ranking of everybody; everyone sees; everybody sees; anyone sees; best customer; best users;
    worst customer; worst users; listed on our; names on a; names on the; open to everybody;
    visible to everybody; shown to everybody; members to see; for all to see; all to see; sees your band;
    see your band; sees your score; see your score; sees your rank; band is shown; score is shown;
    rank is shown; your rank is; neighbours are told; neighbors are told; everyone is told;
    everybody is told; members are told; all members; posted on the; posters at; poster at; announced;
    champions; elite list; honoured; honored; listed among; top 10; top 100; screen at; on the screen;
    photo at the; stars on the door; on the wall; on the door; ranked by score; home page ranking;
    your band stands; number one of the week; star of the week; best of the week;
    honour board; honor board; window of the shop; shop window; shown to your; told to your street;
    your street is told; shown to neighbour*
"""
PUBLICITY_CHINESE = """
    排行榜 排名榜 榜单 榜單 英雄榜 光荣榜 光榮榜 红榜 紅榜 黑榜 红黑榜 紅黑榜 黑名单 黑名單 公开排名
    公開排名 公开名单 公開名單 公开分数 公開分數 公开展示 公開展示 公开显示 公開顯示 公示 公布 公佈 公告栏
    公告欄 曝光 公之于众 公之於眾 示众 示眾 名人堂 耻辱柱 恥辱柱 大屏幕 大螢幕 广告牌 廣告牌 所有人可见
    所有人可見 登报 登報 点名批评 點名批評 通报批评 通報批評
    所有成员 所有成員 对外显示 對外顯示 张贴 張貼 名单 名單 上墙 上牆 上榜 荣誉榜 榮譽榜 榜首 通报 通報 公告
    全员 全員 皆知 首页 首頁 示人
"""

#: Phrases that contain a listed word and mean something else. A listed phrase that reaches beyond one counts.
INNOCENT = """
    tool hire; bike hire; car hire; van hire; hire car; hire a bike; hire a car; hire a tool; hire tools;
    hire of tools; equipment hire; job lot; good job; odd job; print job; wood fired; gas fired;
    kiln firing; tennis court; food court; court shoe; data migration; account migration; visa card;
    visa debit; visa credit; by visa; visa or mastercard; mastercard or visa; passport photo;
    passport cover; passport holder; helpful vote; votes that your; votes on post; votes on answer;
    voting on post; voting on answer; software licence; software license; licence key; license key;
    open licence; open license; creative commons licence; creative commons license; internet order;
    internet shop; internet shopping; internet purchase; rent a bike; rent a car; rent a tool; rent tools;
    rent equipment; back to school; school uniform; school bag; school supplies; old school;
    flight of stairs; transport of goods; transport of your order; transport of your parcel;
    transport damage; damaged in transport; transport packaging; transport cost; cost of transport;
    credit note; store credit; shop credit; in store credit; gift card credit; credited to your account;
    credit to your account; credited at once; credited back; pay by credit card; paid by credit card;
    paid with a credit card; pay with a credit card; credit card payment; payment by credit card;
    refund to your credit card; refunded to your credit card; credit card refund; insured delivery;
    insured deliveries; insured shipping; insured parcel; delivery insurance; shipping insurance;
    parcel insurance; transport insurance; library loan; tool loan; loan of tools; loan phone; loan device;
    borrow tools; borrow a tool; borrow books; borrow a book; lending library; tool lending; lend tools;
    lend books; premium delivery; premium packaging; premium support; premium member; premium membership;
    premium service; premium content; premium feature; premium plan; premium quality; premium range;
    what you sold; you sold; items sold; item sold; things you sold; sold by us; sold by you; sold out;
    you sell; sell your own; sell by date; goods we sell; products we sell; selling price; best selling;
    third party courier; third party delivery; third party seller; forward to your new address;
    transfer to your bank; transferred to your bank; transfer to your account; transferred to your account;
    publish post; publish a post; publish your post; publish your own; post is published;
    posts are published; posts publish*; newspaper subscription; newspaper delivery; public holiday;
    public beta; badminton court; squash court; sports court; court booking; book a court;
    time on the court; library borrower; borrowing of books; borrowing of tools; borrowing for reader;
    selling is suspended; selling is paused; courts without prepayment; careful borrower;
    loan of instrument; loan of book; loan of equipment; insurance of your parcel; transport of large item
"""

#: A mark beside somebody's name tells others their score, unless they want it there.
MARKS = (
    "badge; star; crown; mark; medal; ring; label; ribbon; trophy; rank; band; level; flair; colour; color"
)
SEATS = "name; profile; post; posts; picture; photo; avatar; listing; comment; comments"
