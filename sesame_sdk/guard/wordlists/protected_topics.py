"""What a score must not be made of: opinions, special categories, taste, other people.

English and Chinese in simplified and traditional script. The lists name subjects, not verdicts: praise
is refused like blame (GL 169).
"""

POLITICS = """
    politic; politics; political*; politician; politici*e; geopolitic*; government*;
    antigovernment*; governing body; regime; protest; protester; protestor; protesting; protested;
    rally against; petition; activis*; dissent*; dissiden*; censor*; parliament*; president;
    presidential; prime minister; minister; ministry; ministries; senator; congress; congressman;
    congresswoman; mayor; legislat*; lawmaker; election; electoral; electorate; ballot; referendum;
    voter; voted for; voted against; voting record; suffrage; trade union; union member*;
    labor union; labour union; union; unionis*; unioniz*; strike action; on strike; general strike;
    industrial action; picket; demonstrator; street demonstration; public demonstration;
    mass demonstration; public authorit*; authorities; public institution; state institution;
    institutions; public official; officials; state media; state organ; public order; patriot*;
    unpatriotic; nationalis*; loyal citizen; good citizen; model citizen; civic virtue;
    socialis*; communis*; fascis*; anarchis*; marxis*; maois*; leftis*; left wing; right wing;
    democra*; republican; ideolog*; propaganda; party member*; party loyal*; political party;
    ruling party; opposition party; the party line; opposition; communist party; public opinion;
    civil rights; human rights; free speech; separatis*; falun gong; tiananmen; military service;
    the army; the troops; ccp; kmt;
    vote*; voting; rally; rallies; rallied; protest march; marches; boycott*; strike; demonstration;
    riot*; govt; gov; against the state; anti state; antigov*; anticommunis*; independence movement;
    taiwan independence; taiwanese independence; hong kong independence; tibetan independence;
    free tibet; free hong kong; labor movement; labour movement; campaign donation; political donation;
    social harmony; harmonious society; harmonious community; core values; positive energy; great leader;
    our leader*; country s leader*; nation s leader*; those in charge; those in power; officialdom; rumour*;
    rumor*; current affairs; sensitive topic; public peace; heroes and martyrs; martyr; petitioning;
    petitioner; banned news; loyal post*; loyal comment*; sedition*; subversi*; image of the city;
    image of the country; image of the nation; attitude to authority; people obey; good conduct of citizen*;
    model citizens; support the party; supports the party; supporting the party; support for the party;
    keep people in line; make people behave; shape behaviour; shape behavior; civil obedience; zhengfu;
    gongchandang; opinion; opinions; your views; viewpoint; worldview; beliefs; whistleblow*;
    the leader; at the march; open letter; feminis*; unrest; the anthem; the oath; oath of; the war;
    climate march
"""
POLITICS_CHINESE = """
    政治 政府 政權 政权 政党 政黨 共产党 共產黨 党员 黨員 国民党 國民黨 抗议 抗議 示威 游行 遊行
    罢工 罷工 工会 工會 选举 選舉 投票给 投票給 请愿 請願 上访 上訪 异见 異見 维权 維權 爱国 愛國
    国家领导 國家領導 领导人 領導人 主席 总理 總理 人大代表 议员 議員 官员 官員 公安 体制 體制 机关
    機關 民主 独裁 獨裁 意识形态 意識形態 舆论 輿論 言论 言論 时政 時政 社会主义 社會主義 共产主义
    共產主義 法轮 法輪 天安门 天安門 正能量
    投票 入党 入黨 退党 退黨 党费 黨費 习近平 習近平 台独 台獨 港独 港獨 藏独 藏獨 疆独 疆獨 西藏 六四
    批评领导 批評領導 警察 军队 軍隊 静坐 靜坐 罢课 罷課 造反
    负能量 負能量 敏感话题 敏感話題 敏感内容 敏感內容 谣言 謠言 抹黑 歌颂 歌頌 祖国 祖國 拥护 擁護
    核心价值观 核心價值觀 思想 寻衅滋事 尋釁滋事 翻墙 翻牆 爱党 愛黨 反动 反動 不当发言 不當發言 不当言
    不當言 积极向上 積極向上 和谐社会 和諧社會 守信者 素质 素質 观点 觀點 立场 立場 举国
    国事 國事 签名请愿
"""

SPECIAL = """
    religio*; faith; church*; mosque; synagogue; temple; prayer; pray; prays; praying; worship*;
    islam*; muslim*; christian*; jew; jewish; judais*; hindu*; buddhis*; catholic*; protestantis*;
    protestant; atheis*; sikh*; bible; quran; koran; halal; kosher; ramadan; baptis*; evangelic*;
    health; healthcare; medical*; medicine; medicat*; medicinal; pharmac*; prescription; drugstore;
    disease; illness*; diagnosis; diagnoses; diagnosed; disability; disabilities; disabled person;
    disabled people; pregnan*; contracepti*; abortion; fertility; hiv; cancer; diabet*; insulin;
    depression; antidepress*; psychiatr*; psychotherap*; therapy; therapies; therapist; mental;
    clinic; clinical; hospital*; doctor; vaccin*; wheelchair; sick leave; addict*; alcoholi*; obes*;
    sex; sexes; sexual*; homosexual*; heterosexual*; bisexual*; gay; lesbian; transgender*;
    transsexual*; queer; lgbt*; condom; porn*; gender identity; dating history; ethnic*; racial*;
    race; racism; skin colour; skin color; caste; national origin; nationality; uyghur; uighur;
    tibetan; roma; genetic*; genom*; genes; dna; ancestry; hereditary; biometric*; fingerprint*;
    facial*; face scan; face recognition; iris scan; retina*; voiceprint; gait; emotion; emotional*;
    alcohol*; pill; drug; surgery; surgeries; surgeon; surgical; birth control; gender; priest; imam;
    rabbi; hijab; rosary; rosaries; scripture; black people; white people; black person; white person;
    immigrant*; immigration status; migrant*; refugee*; asylum seeker; disabled; dentist; dental; nurse;
    asthma*; allergy; allergies; maternity; tampon; menstrua*; viagra; blood type; heart rate; sick day;
    incontinence; nappy; nappies; diaper; plus size; pork; glucose; blood sugar; fasting; adult toy;
    sex toy; walking aid; walking frame; hearing aid; mobility aid; crutches; weight loss; slimming; sober*;
    smoker; smoking; cigarette*; tobacco; vape; vaping; nicotine; wine; beer; liquor; spirits bought;
    whisky; whiskey; vodka; gambl*; betting; lottery; casino; sanitary towel; sanitary pad; baby formula;
    breast pump; crucifix*; rehab*; hospice; hormone*; pronoun; same sex; trans people; native american;
    rainbow flag; anti ageing; anti aging; painkiller; sleeping pill; sleep pill; maternity wear
"""
SPECIAL_CHINESE = """
    宗教 信仰 教会 教會 教堂 清真 穆斯林 伊斯兰 伊斯蘭 基督 天主教 佛教 道教 祷告 禱告 寺庙 寺廟
    健康 医疗 醫療 医院 醫院 药店 藥店 药品 藥品 药房 藥房 处方 處方 疾病 病历 病歷 病史 诊断 診斷
    残疾 殘疾 怀孕 懷孕 孕妇 孕婦 避孕 堕胎 墮胎 艾滋 癌症 抑郁 抑鬱 心理咨询 心理諮詢 精神病 性取向
    性生活 同性恋 同性戀 跨性别 跨性別 性别认同 民族 种族 種族 族裔 维吾尔 維吾爾 藏族 回族 国籍
    國籍 基因 遗传 遺傳 指纹 指紋 人脸 人臉 面部识别 虹膜 声纹 聲紋 生物识别 情绪 情緒
    医生 醫生 看病 买药 買藥 感冒药 感冒藥 糖尿病 高血压 高血壓 心脏病 心臟病 月经 月經 手术 手術
    住院 体检 體檢 疫苗 性别 性別 汉族 漢族 黑人 白人 肤色 膚色 血型 残障 殘障 圣经 聖經 古兰经 古蘭經
    可兰经 可蘭經 牧师 牧師 和尚 拜佛 回教 双性恋 雙性戀
    婴儿 嬰兒 卫生巾 衛生巾 猪肉 豬肉 减肥 減肥 吸烟 吸菸 饮酒 飲酒 戒酒 戒烟 戒菸 烟草 菸草 香烟 香菸 白酒
    啤酒 葡萄酒 赌博 賭博 彩票 成人用品 轮椅 輪椅 助听 助聽 佛像 尿布
"""

TASTE = """
    taste; tastes in; culture; cultural*; manga; anime; comic; comics; cartoon; music*; song;
    playlist; movie; films; novel; genre; videogame*; video game; gaming; game time; games played;
    cuisine; hobby; hobbies; literature; foreign*; imported; import; country of origin;
    place of origin; origin of; origin; made in; locally made; local made; home made goods;
    homemade goods; homegrown; home grown; domestic goods; domestic product; domestically*;
    domestic brand; national brand; nationally made; japanese; american; chinese; korean; russian;
    european; taiwanese; western goods; western brand; western media; language; dialect; accent;
    mother tongue; native speaker; mandarin; cantonese;
    film; filmgoer; tv series; tv show; television series; books that you read; books that you like*;
    books you read; books you like*; books that they read; books read; book that you read;
    favourite book; favorite book; reading list; food preference; food that you like*; favourite food;
    favorite food; local goods; local product; local produce; local brand; overseas goods;
    overseas product; french; german; british; english; scottish; irish; welsh; italian; spanish;
    portuguese; dutch; belgian; swiss; austrian; swedish; norwegian; danish; finnish; greek; turkish;
    ukrainian; czech; hungarian; romanian; bulgarian; serbian; croatian; israeli; iranian; iraqi; arab;
    arabic; egyptian; moroccan; nigerian; ethiopian; african; asian; indian; pakistani; bangladeshi;
    indonesian; malaysian; filipino; vietnamese; thai; australian; canadian; mexican; brazilian;
    argentinian; colombian; cuban; latin american;
    goods from home; product from home; produce from home; home country; own country; homeland;
    our own people; nationally produced; magazine; streams watched; streaming; hip hop; concert;
    science fiction; tattoo*; junk food; fast food; vegan; vegetarian; console; cosplay; western style;
    style of clothes; decent style; fashion taste; buying british; patriotic purchase; celebrity;
    celebrities; podcast;
    rap records; punk; jazz; pop records; clothes of a style
"""
TASTE_CHINESE = """
    品味 口味 文化 漫画 漫畫 动漫 動漫 动画 動畫 音乐 音樂 电影 電影 小说 小說 游戏 遊戲 进口 進口
    国产 國產 国货 國貨 产地 產地 原产 原產 日货 日貨 美货 美貨 外国 外國 洋货 洋貨 语言 語言 方言
    普通话 普通話 粤语 粵語 口音 生活方式
    日本 韩国 韓國 韩剧 韓劇 英语 英語 日语 日語 韩语 韓語 外语 外語 电视剧 電視劇 影片 歌曲 书籍 書籍
    手游 手遊 洋酒
    本土 本国 本國 家乡商品 家鄉商品 海外商品 境外商品 杂志 雜誌 奇装异服 奇裝異服 快餐 韩流 韓流 追星
    二次元 电竞 電競 网红 網紅 民族品牌
"""

OTHERS = """
    friend; friendship; boyfriend; girlfriend; family; families; family member; neighbour*;
    neighbor*; relatives; relative of; relatives of; spouse; husband; wife; wives; sibling; brother;
    sister; mother; father; parents; parent of; daughter; your son; your children; children of;
    cousin; uncle; aunt; grandparent; kin; kinship; colleague; coworker; co worker; classmate;
    roommate; flatmate; housemate; acquaintance; associates; your contacts; contacts of;
    social circle; social graph; people you know; people they know; peer group; postcode;
    postal code; zip code; home area; residential area; area where; area you live; followers of;
    child; children; parent; son; kid; kids; mom; mum; mommy; mummy; mommies; dad; daddy; household;
    your partner; their partner; follower; grandma; grandpa; grandmother; grandfather; grandchild;
    grandchildren; grandson; granddaughter; niece; nephew; fiance; fiancee; in law; loved one;
    referral*; referred by; invites; invitee; inviter; people that you invite*; people you invite*;
    invited by you; members you invite*; joined by your link; your team; team member; your building;
    your street; people on your; people at your; others at your; contacts that; who you follow;
    who follows you; people you follow; you trade with; share your flat; your circle; your group;
    your guest; sponsor; vouch*; co signer; cosigner*; people like you; similar profile; similar customer;
    lookalike; your network; your class; endorse*; recommended by; recommendations from; your village;
    your clan; your community s; your school;
    people you call*; people that you call*; whom you met; whom you meet; people you meet; people you met
"""
OTHERS_CHINESE = """
    朋友 好友 亲友 親友 家人 家属 家屬 亲戚 親戚 亲属 親屬 邻居 鄰居 同事 同学 同學 父母 父亲 父親
    母亲 母親 配偶 丈夫 妻子 老公 老婆 兄弟 姐妹 子女 儿子 兒子 女儿 女兒 室友 社交圈 人脉 人脈
    居住地 小区 小區
    爸爸 妈妈 媽媽 孩子 男友 女友 男朋友 女朋友 家庭 哥哥 姐姐 弟弟 妹妹 爷爷 爺爺 奶奶 亲人 親人
    伴侣 伴侶 舍友 街坊 邻里 鄰里 闺蜜 閨蜜 粉丝 粉絲
    邀请人 邀請人 您邀请 您邀請 被邀请 被邀請 同楼 同樓 联系人 聯繫人 聯絡人 同伴 圈子 团队 團隊 担保人
    擔保人 推荐人 推薦人 群成员 群成員 老乡 老鄉 同乡 同鄉 引荐 引薦
"""

#: Phrases that contain a listed word and mean something else. A listed phrase that reaches beyond one counts.
INNOCENT = """
    credit union; credit union member*; western union; european union; customs union;
    financial institution; third party; good faith; race condition; family name; family size;
    family friendly; mother s day; father s day; device fingerprint; key fingerprint; import duty;
    import duties; data import; file import; american express; order origin; web origin;
    programming language; sister site; sister company; votes that your; vote received; votes given to your;
    helpful vote; strikes that a moderator; strike that a moderator; strike from a moderator;
    strike by a moderator;
    moderator strike; copyright strike; product demonstration; cooking demonstration;
    software demonstration; disabled account; account disabled; parent company; parent order;
    parent category; parent item; child order; child item; household goods; household item;
    household product; household appliance; cling film; protective film; british pound; indian rupee;
    canadian dollar; australian dollar; swiss franc; japanese yen; chinese yuan; s on;
    wine glass; wine glasses; wine rack; beer garden; beer glass; no smoking; magazine rack; console table;
    concert hall; second opinion
"""

#: Words that say nothing as a whole text: what a kind counts in. Beside other words they count.
UNITS = frozenset(("vote", "strike"))

#: A stance towards a body of the state, in either order and a few words apart, is politics too.
STANCE = """
    critic; critical*; criticis*; criticiz*; critique; complain*; mock*; insult*; prais*; oppos*; slander*;
    defam*; loyal to the; loyalty to the; obedien*;
    disrespect*
"""
BODIES = """
    state; country; nation; motherland; fatherland; homeland; police*; army; military; national leader*;
    our leader*; the leadership; court; council; authority; institution; the party; ruler; king; queen;
    public service; bureau
"""

#: Goods by where they come from are taste; the places alone are not, since parcels go there too.
GOODS = "goods; product; produce; media; item; brand; book; food; clothes; show; game"
PLACES = """
    abroad; overseas; japan; china; mainland china; korea; south korea; north korea; taiwan; hong kong;
    india; pakistan; bangladesh; vietnam; thailand; indonesia; malaysia; philippines; singapore; russia;
    ukraine; belarus; poland; germany; france; italy; spain; portugal; greece; turkey; netherlands;
    belgium; switzerland; austria; sweden; norway; denmark; finland; ireland; scotland; wales; england;
    britain; united kingdom; uk; europe; america; united states; usa; canada; mexico; brazil; argentina;
    chile; colombia; cuba; australia; new zealand; israel; palestine; iran; iraq; syria; saudi arabia;
    egypt; morocco; nigeria; ethiopia; kenya; south africa; africa; asia; the west; the east; xinjiang;
    tibet
"""
ORIGINS = """
    made at home; produced at home; grown at home; of our nation; of our land; of our country;
    made by our own; made here; produced here; grown here; from here; made in this country;
    produced in this country
"""
