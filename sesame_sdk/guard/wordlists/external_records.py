"""What a kind must not be made of though no other topic names it: guesses, and records from elsewhere.

`GUESSES` is for kinds that could lower a score and say that they were observed; `RECORDS` for categories
of personal data that are not on the list, declared as one that is.
"""

GUESSES = """
    predict*; probab*; likelihood; likely to; likely that; likely late; likely fraud*; estimate; estimates;
    estimated; estimating; estimation; inferred; inference; infers; inferring; guess*; suspected; suspicion;
    suspicious; assumed; assumption; our model; model that; model finds; model found; model thinks;
    by a model; by model; of a model; from a model; machine learning; neural network; algorithm*; our ai;
    an ai; ai finds; ai found; by ai; artificial intelligence; forecast*; propensity; anomal*; risk model*;
    will miss; will pay late; will fail; may become; unconfirmed; unverified; alleged*; hearsay;
    downvote*; ratings by other*; rated by other*; ratings that other*; stars that other*;
    stars from other*; stars given by
"""
GUESSES_CHINESE = """
    预测 預測 推测 推測 推断 推斷 猜测 猜測 估计 估計 疑似 可能会 可能會 概率 機率 算法 演算法 人工智能
    人工智慧 嫌疑 未经证实 未經證實
"""

RECORDS = """
    credit score; credit scoring; credit rating; credit record; credit report; credit bureau;
    credit history; credit file; income; salary; salaries; wage; payslip; net worth; wealth*; bank balance;
    overdraft; convict*; conviction; criminal*; arrest*; police record; prison*; profession; occupation;
    job title; your job; your employer; unemploy*; employment status; university degree; college degree;
    diploma; exam result; school grade; school mark; homes that you own; home that you own;
    house that you own; property that you own; homeowner*; home owner*; price of your car; age group;
    date of birth; sound of your name; your surname; your first name; phone model; dear phone;
    phones that you use; device price; pages that you look*; pages that you open*; pages that you visit*;
    pages you look*; pages viewed; browser history; browsing history; search history;
    searches that you made; what you write; what you wrote; content of your message; text of your message;
    private message; hours on the app; time on the app; screen time; time online; level at other;
    score elsewhere; score at other; scores elsewhere; standing elsewhere; your social media
"""
RECORDS_CHINESE = """
    信用分 征信 徵信 收入 工资 工資 薪水 薪资 薪資 资产 資產 存款 前科 犯罪 判刑 职业 職業 学历 學歷 文凭
    文憑 房产 房產 车价 車價 出生日期 姓氏 手机型号 手機型號 浏览记录 瀏覽記錄 搜索记录 搜尋記錄 聊天记录
    聊天記錄 聊天内容 聊天內容 在线时长 在線時長 其他平台的等级 其他平臺的等級
"""

#: Phrases that contain a listed word and mean something else. A listed phrase that reaches beyond one counts.
INNOCENT = """
    estimated date; estimated delivery; estimated delivery date; estimated time; estimated arrival
"""
