"""What must not be collected for a score: bodies and feelings, places, the use of one's rights.

Meant for what kinds say of themselves. Some words of `BIOMETRICS` are special categories too, and stand
in both lists. `RIGHTS` has no way round for disputes that a bank or a court settled: whoever may be
right in a dispute, having had one is no conduct.
"""

BIOMETRICS = """
    biometr*; selfie; face; faceid; faceprint; facial*; mugshot; iris; retina*; gait; walking style;
    voiceprint; voice print; voice recogn*; voice analy*; voice stress; voice sample; tone of voice;
    speech pattern; fingerprint*; thumbprint; palm print; palmprint; hand geometry; vein pattern; ear shape;
    emotion*; mood; sentiment*; expression; microexpression; micro expression; smile; smiling; frown*;
    blink*; gaze; eye tracking; eye movement; eye contact; pupil dilat*; heart rate; heartbeat;
    skin conductance; body scan; body language; body temperature; brain wave; brainwave; eeg; lie detect*;
    polygraph; keystroke; typing rhythm; typing pattern; mouse movement; dna; your photo; photo of you;
    photos of you; picture of you; pictures of you; video of you; portrait photo; liveness; webcam;
    your voice; your face; how you look; your looks; your appearance;
    angry; anger; cheerful; nervous*; anxious; anxiety; stress in; stress level; stressed; tired; fatigue;
    friendly voice; voice on the; your tone; typing speed; how fast you type; attention span; attention at;
    camera check*; sigh; sighs; temper; happiness; sadness; sarcas*
"""
BIOMETRICS_CHINESE = """
    人脸 人臉 刷脸 刷臉 脸部 臉部 面部 面容 自拍 虹膜 视网膜 視網膜 指纹 指紋 掌纹 掌紋 声纹 聲紋 步态 步態
    情绪 情緒 表情 心情 微笑 眼动 眼動 眼神 心率 脑电 腦電 测谎 測謊 生物识别 生物識別 生物辨識 生物特征
    生物特徵 活体检测 活體檢測 语音分析 語音分析 肢体语言 肢體語言
    情感 愤怒 憤怒 打字速度 语气 語氣 神态 神態 焦虑 焦慮 愉快 微表情
"""

LOCATION = """
    gps; location*; geolocat*; geofenc*; geo fence; geo fencing; geotag*; geodata; whereabouts; check ins;
    check in; checkin; checked in; checking in; places visited; place visited; places that you visit*;
    places you visit*; places that you go; places you go; visited places; where you were; where you are;
    where you go; where you went; where you have been; where you live; where you stay*; commute*; commuting;
    commuter; route; itinerar*; trajectory; trajectories; movement profile; movement data; movement pattern;
    your movements; latitude; longitude; gps coordinate; map coordinate; your coordinates; cell tower;
    cell site; cell id; bluetooth beacon; wifi beacon; trail; footfall; tracked; tracking; travel history;
    travel log; trip log; trip history; trips taken; journey log; journeys made; home address; ip address;
    distance travelled; distance traveled; roaming; proximity; licence plate; license plate; number plate;
    where you shop; home town; hometown; map of visit*; nearby; distance to; distance from;
    nights away; bars that you; bar that you; pubs that you; nightclub; sighting; walked past; out of town;
    jaywalk*; red light; your street; your district; your quarter; poor quarter; part of town;
    parts of town; old town; east side; west side; countries that you; country that you visit*;
    cities that you; travel abroad; trips abroad; out of the house; evenings out;
    visits to bar*; trips to; walks at night; out at night; journeys to; travel to
"""
LOCATION_CHINESE = """
    定位 位置 轨迹 軌跡 行踪 行蹤 去向 签到 簽到 打卡 地理围栏 地理圍欄 电子围栏 電子圍欄 到过 到過 去过的
    去過的 行程 通勤 路线 路線 出行 足迹 足跡 基站 经纬度 經緯度 坐标 座標 漫游 漫遊 车牌 車牌 家庭住址
    活动范围 活動範圍
    夜间外出 夜間外出 出城 酒吧 闯红灯 闖紅燈 出国 出國 所在街道 街道 出省
"""

RIGHTS = """
    complain*; dispute*; disputing; objection*; objected; objecting; object to; withdr*; revok*;
    revocation*; opt out; opted out; opting out; unsubscri*; erasure*; erase; erased; erasing;
    deletion request; delete request; deletion of; request to delete; asked to delete; right to;
    your rights; rights request; rights of data subject; access request; data request; data export;
    export of your data; exported your data; exporting your data; data portab*; appeal; appealed;
    appealing against; human review; asked for a review; request for review; review request; contested;
    contesting; own statement; statement of your own; score page; score view*; score look*; score check*;
    viewing your score; viewed your score; view your score; views of your score; looked at your score;
    looking at your score; look at your score; looks at your score; looking at your own; looked at your own;
    look at your own; checking your score; checked your score; check your own score; visits to your score;
    login to the score; login to see your score; logins to the score; logins to see your score;
    your own score; portal visit; portal login; visits to the portal; logins to the portal; lawsuit; sued;
    suing; legal action; ombuds*; data protection*; regulator; whistleblow*; consumer association;
    consumer protection; looking at one s; look at one s; looked at one s; looked at their;
    requests to forget; request to forget; to be forgotten; asked for your data; asked for their data;
    asked why; asked for an explanation; requests for an explanation; request for an explanation;
    bad review of us; bad reviews of us; criticised us; criticized us;
    chargeback; questions about your data; see your file; your file; refusals to share; refused to share;
    consent; consents; consented; cookie; ad blocker; scopes that; lawyer; solicitor; attorney; bad review*;
    negative review*; one star; escalat*; said no; warranty claim*; legal right; law gives; privacy law;
    privacy request; gdpr; cooling off; within fourteen days; right of withdrawal; grievance*; pushback;
    not joining; leaving the programme; unjoin*; tribunal;
    asked for a person; ask for a person; asked for a human; ask for a human; asked to speak to
"""
RIGHTS_CHINESE = """
    投诉 投訴 申诉 申訴 争议 爭議 异议 異議 反对 反對 撤回 撤销同意 撤銷同意 取消同意 取消授权 取消授權
    删除请求 刪除請求 删除数据 刪除數據 删除资料 刪除資料 被遗忘权 被遺忘權 注销 註銷 退订 退訂 导出数据
    導出數據 匯出資料 人工复核 人工覆核 查看分数 查看分數 查询分数 查詢分數 查看评分 查看評分 查看自己 起诉
    起訴 诉讼 訴訟 维权 維權 消协 消協 监管机构 監管機構
    差评 差評 一星 授权 授權 拒绝同意 拒絕同意 举报商家 舉報商家 律师 律師 消费者协会 消費者協會 索要数据
    索要數據 无理由退货 無理由退貨 隐私 隱私
"""

#: Phrases that contain a listed word and mean something else. A listed phrase that reaches beyond one counts.
INNOCENT = """
    face value; face to face; face mask; face cream; face towel; clock face; watch face; type face;
    device fingerprint; key fingerprint; iris bulb; mood board; mood light*; mood lamp;
    freedom of expression; regular expression; expression of interest; with a smile; delivery route;
    bus route; pickup location; pick up location; shop location; store location; location of the shop;
    location of the store; trail mix; trail shoe; trail running shoe; audit trail; parcel tracking;
    order tracking; delivery tracking; shipment tracking; tracking number; tracking link; tracked delivery;
    tracked deliveries; tracked shipping; tracked parcel; tracked post; check in person; check in advance;
    check in writing; hotel check in; cash withdrawal; withdrawn product; product withdrawn;
    withdrawn from sale; charity appeal; fundraising appeal; appeal for help; donation appeal;
    voltage regulator; pressure regulator; gas regulator; right to left;
    chargeback fraud; fraudulent chargeback; cookie jar; cookie cutter
"""
